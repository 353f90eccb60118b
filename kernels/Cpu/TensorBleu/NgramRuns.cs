using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>
/// Matches of all orders at once, for n-grams that the index has once. Whatever such an n-gram is the beginning of stands at one place, so a longer one
/// matches, once, if any place sought goes on with the same tokens. The longest such run says which orders match; no longer n-gram need be looked up.
/// </summary>
internal static unsafe class NgramRuns
{
    /// <summary>Tokens read from a place on, and so how many may be read behind the last one.</summary>
    public const int Reach = BleuOptions.LargestOrder;

    /// <summary>Adds the matches.</summary>
    /// <param name="index">Has the n-grams.</param>
    /// <param name="indexed">Tokens of its sequences, by place.</param>
    /// <param name="sought">Tokens of the sequences sought in it, by place.</param>
    /// <param name="once">Places sought at which an n-gram begins that the index has once, with their numbers.</param>
    /// <param name="count">How many.</param>
    /// <param name="tallies">For each number, the longest run so far.</param>
    /// <param name="order">The n-grams' order; those below are not counted.</param>
    /// <param name="matches">Added to.</param>
    public static void Count(in NgramIndex index, int* indexed, int* sought, ulong* once, int count, NgramTally* tallies, int order, ref OrderCounts matches)
    {
        Vector256<int> gained = Count(index.Singles, indexed, sought, once, count, tallies);
        for (int lane = order - 1; lane < Reach; lane++)
            matches[lane] += gained[lane];
    }

    // Lane n - 1 counts order n.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Vector256<int> Count(int* singles, int* indexed, int* sought, ulong* once, int count, NgramTally* tallies)
    {
        Vector256<int> gained = default;
        for (int i = 0; i < count; i++)
        {
            int number = NgramPlaces.Number(once[i]);
            uint isEqual = Vector256.Equals(Vector256.Load(indexed + singles[number]), Vector256.Load(sought + NgramPlaces.Place(once[i])))
                .ExtractMostSignificantBits();
            int length = BitOperations.TrailingZeroCount(~isEqual), before = tallies[number].Most, more = length - before,
                longest = before + (more & ~(more >> 31));
            tallies[number].Most = longest;
            gained += Vector256.GreaterThan(Vector256.Create(before), Vector256<int>.Indices)
                - Vector256.GreaterThan(Vector256.Create(longest), Vector256<int>.Indices);
        }
        return gained;
    }
}
