namespace Kernels.Tests;

/// <summary>Rows, axes, gradients and best entries, with every option.</summary>
internal static class SoftmaxProblems
{
    public static void Run(KernelVariant variant, ProblemDraw draw, KernelOptions kernel, ResultHash results)
    {
        switch (variant.Types)
        {
            case "f32": Run<float>(draw, kernel, results); break;
            case "f64": Run<double>(draw, kernel, results); break;
            case "f16": Run<Half>(draw, kernel, results); break;
            default: Run<BrainFloat16>(draw, kernel, results); break;
        }
    }

    private static void Run<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        switch (draw.Between(0, 3))
        {
            case 0: Axis<T>(draw, kernel, results); break;
            case 1: Gradient<T>(draw, kernel, results); break;
            default: Rows<T>(draw, kernel, results); break;
        }
    }

    private static void Rows<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int rows = draw.Between(1, 9), length = draw.Length(1100);
        T[] logits = draw.Values<T>(rows * length, draw.Pick(0.1, 1.0, 20.0, 300.0)), outputs = new T[logits.Length];
        var options = new SoftmaxOptions<T>
        {
            Kernel = kernel,
            Scale = draw.Pick(1, 1, 0.125, 1.7),
            SoftCap = draw.Chance(0.2) ? 30 : 0,
            Safe = draw.Chance(0.3),
            RowLengths = draw.Chance(0.3) ? draw.Integers<int>(rows, 0, length) : default,
            BooleanMask = draw.Chance(0.2) ? draw.Booleans(logits.Length, 0.8) : default,
            AdditiveMask = draw.Chance(0.2) ? draw.Normals<T>(logits.Length, 3) : default,
        };
        Softmax.Compute<T>(logits, outputs, length, options);
        results.Add<T>(outputs);
        Softmax.LogSoftmax<T>(logits, outputs, length, options);
        results.Add<T>(outputs);
        T[] sums = new T[rows];
        Softmax.LogSumExp<T>(logits, sums, length, options);
        results.Add<T>(sums);
        int count = draw.Between(1, length);
        T[] best = new T[rows * count];
        int[] indices = new int[rows * count];
        Softmax.TopK<T>(logits, best, indices, length, count, options);
        results.Add<T>(best);
        results.Add<int>(indices);
    }

    private static void Axis<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int[] dimensions = [draw.Between(1, 3), draw.Length(130), draw.Length(300)];
        T[] logits = draw.Values<T>(dimensions[0] * dimensions[1] * dimensions[2], draw.Pick(1.0, 30.0)), outputs = new T[logits.Length];
        var options = new SoftmaxOptions<T> { Kernel = kernel, Safe = draw.Chance(0.3), Scale = draw.Pick(1, 0.5) };
        int axis = draw.Between(0, 2);
        Softmax.Compute<T>(logits, outputs, dimensions, axis, options);
        results.Add<T>(outputs);
        Softmax.LogSoftmax<T>(logits, outputs, dimensions, axis, options);
        results.Add<T>(outputs);
    }

    private static void Gradient<T>(ProblemDraw draw, KernelOptions kernel, ResultHash results) where T : unmanaged
    {
        int rows = draw.Between(1, 5), length = draw.Length(1100);
        T[] logits = draw.Values<T>(rows * length, 3), outputs = new T[logits.Length], slopes = draw.Normals<T>(logits.Length, 1),
            gradient = new T[logits.Length];
        double scale = draw.Pick(1, 0.25), cap = draw.Chance(0.5) ? 5 : 0;
        var forward = new SoftmaxOptions<T> { Kernel = kernel, Scale = scale, SoftCap = cap };
        var backward = new SoftmaxGradientOptions<T> { Kernel = kernel, Scale = scale, SoftCap = cap, Logits = cap > 0 ? logits : default };
        Softmax.Compute<T>(logits, outputs, length, forward);
        Softmax.Backward<T>(slopes, outputs, gradient, length, backward);
        results.Add<T>(gradient);
        Softmax.LogSoftmax<T>(logits, outputs, length, forward);
        Softmax.LogBackward<T>(slopes, outputs, gradient, length, backward);
        results.Add<T>(gradient);
    }
}
