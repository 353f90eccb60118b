using System.Numerics;

namespace Kernels.Tests;

/// <summary>
/// The draws of one seeded problem: sizes around tile edges, values, special values, options. Only exact arithmetic of doubles, so that a seed gives the same
/// problem on every machine (no logarithm or cosine of a C library).
/// </summary>
internal sealed class ProblemDraw(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>The seed: it alone makes the problem again.</summary>
    public int Seed { get; } = seed;

    public bool Chance(double probability) => _random.NextDouble() < probability;

    public int Between(int least, int most) => _random.Next(least, most + 1);

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    /// <summary>A length at, just below or just above a multiple of a register, tile or block, or any small one.</summary>
    public int Length(int most) => Chance(0.3)
        ? Between(1, Math.Min(most, 40))
        : Math.Clamp(Pick(8, 16, 32, 48, 64, 96, 128, 192, 256, 512, 1024) * Between(1, 2) + Between(-1, 1), 1, most);

    /// <summary>About normal: twelve uniform numbers less six have variance 1.</summary>
    public double Normal()
    {
        const int terms = 12;
        double sum = -terms / 2;
        for (int i = 0; i < terms; i++)
            sum += _random.NextDouble();
        return sum;
    }

    public T[] Normals<T>(int count, double spread)
        where T : unmanaged => [.. Enumerable.Range(0, count).Select(_ => Element.FromDouble<T>(spread * Normal()))];

    /// <summary>Normal numbers; in one problem of eight some places hold an infinity, NaN, zero or denormal number instead.</summary>
    public T[] Values<T>(int count, double spread) where T : unmanaged
    {
        T[] values = Normals<T>(count, spread);
        if (Chance(1.0 / 8))
        {
            double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, Element.SmallestDenormal<T>()];
            for (int i = 0; i < 1 + count / 50; i++)
                values[_random.Next(count)] = Element.FromDouble<T>(Pick<double>(special));
        }
        return values;
    }

    public T[] Integers<T>(int count, int least, int most) where T : unmanaged, INumberBase<T> =>
        [.. Enumerable.Range(0, count).Select(_ => T.CreateChecked(Between(least, most)))];

    public bool[] Booleans(int count, double probability) => [.. Enumerable.Range(0, count).Select(_ => Chance(probability))];
}
