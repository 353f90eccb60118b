using System.Globalization;

namespace CharRnn;

/// <summary>The losses at a step, in bits per character: the mean over the training steps since the point before, and that on held-out text.</summary>
internal readonly record struct LossPoint(long Step, double Training, double HeldOut);

/// <summary>The losses of a run. Its text form, a line for each point and one for what is not a point yet, gives back every bit.</summary>
internal sealed class LossHistory
{
    /// <summary>Steps from point to point.</summary>
    public const int StepsPerPoint = 50;

    private readonly List<LossPoint> _points = [];
    private double _sum;
    private int _count;

    public IReadOnlyList<LossPoint> Points => _points;

    /// <summary>Takes the loss of a training step; true if a point is due.</summary>
    public bool Add(double loss)
    {
        _sum += loss;
        return ++_count == StepsPerPoint;
    }

    /// <summary>Makes a point of the losses since the last one.</summary>
    public void AddPoint(long step, double heldOut)
    {
        _points.Add(new LossPoint(step, _sum / _count, heldOut));
        (_sum, _count) = (0, 0);
    }

    public override string ToString() => string.Concat(_points.Select(point => Line(point.Step, point.Training, point.HeldOut))) + Line(_count, _sum);

    /// <exception cref="FormatException">The text is not one that <see cref="ToString"/> gives.</exception>
    public static LossHistory Parse(string text)
    {
        var history = new LossHistory();
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (string line in lines)
        {
            double[] numbers = [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
            if (!Array.TrueForAll(numbers, double.IsFinite))
                throw new FormatException($"'{line}' has a number that is not finite");
            if (numbers.Length == 3)
                history._points.Add(new LossPoint((long)numbers[0], numbers[1], numbers[2]));
            else if (numbers.Length == 2 && numbers[0] is >= 0 and < StepsPerPoint)
                (history._count, history._sum) = ((int)numbers[0], numbers[1]);
            else
                throw new FormatException($"'{line}' is no point of a history");
        }
        return history;
    }

    private static string Line(params ReadOnlySpan<double> numbers)
    {
        string[] words = new string[numbers.Length];
        for (int i = 0; i < words.Length; i++)
            words[i] = numbers[i].ToString("R", CultureInfo.InvariantCulture);
        return string.Join(' ', words) + "\n";
    }
}
