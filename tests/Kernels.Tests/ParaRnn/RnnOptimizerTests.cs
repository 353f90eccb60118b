using Kernels.Nn;

namespace Kernels.Tests;

/// <summary>Optimisers and clipping at the ends of their ranges, and checkpoints that keep how an optimiser is set.</summary>
public sealed class RnnOptimizerTests
{
    private static Parameter[] Parameters => [.. new LinearLayer("l", 5, 7, seed: 1).Parameters];

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-0.1)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void RatesAndDecaysAreFiniteNumbersFromZero(double bad)
    {
        Refused("rate", () => new AdamW(Parameters, bad));
        Refused("rate", () => new Sgd(Parameters, bad));
        Refused("weightDecay", () => new AdamW(Parameters, 0.1, bad));
        var adam = new AdamW(Parameters, 0.1);
        Refused("Rate", () => adam.Rate = bad);
        Refused("WeightDecay", () => adam.WeightDecay = bad);
        Assert.Equal((0.1, 0.01), (adam.Rate, adam.WeightDecay));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-0.001)]
    [InlineData(1)]
    [InlineData(5)]
    public void AMomentumIsAShare(double bad)
    {
        Refused("momentum", () => new Sgd(Parameters, 0.1, bad));
        var sgd = new Sgd(Parameters, 0.1, 0.5);
        Refused("Momentum", () => sgd.Momentum = bad);
        Assert.Equal(0.5, sgd.Momentum);
    }

    private static void Refused(string name, Func<object?> call) => Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => { call(); }).ParamName);

    [Fact]
    public void TheEndsOfTheRangesAreInThem()
    {
        Assert.Equal((0, 0), (new AdamW(Parameters, 0, 0).Rate, new AdamW(Parameters, 0, 0).WeightDecay));
        var sgd = new Sgd(Parameters, double.MaxValue, Math.BitDecrement(1.0));
        Assert.Equal((double.MaxValue, Math.BitDecrement(1.0)), (sgd.Rate, sgd.Momentum));
        Assert.Throws<ArgumentNullException>(() => new Sgd(null!, 0.1));
    }

    [Fact]
    public void AParameterListedTwiceCountsOnce()
    {
        Check(parameters => new AdamW(parameters, 0.1));
        Check(parameters => new Sgd(parameters, 0.1, 0.9));

        static void Check(Func<Parameter[], Optimizer> create)
        {
            Parameter[] once = Parameters, twice = Parameters;
            Optimizer first = create(once), second = create([.. twice, .. twice]);
            for (int step = 0; step < 3; step++)
            {
                foreach (Parameter parameter in once.Concat(twice))
                    Array.Fill(parameter.Gradients, 0.5f);
                first.Step();
                second.Step();
            }
            Assert.All(once.Zip(twice), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
            using var folder = new TemporaryFolder();
            Checkpoint.Save(folder.File("once"), once, first);
            Checkpoint.Save(folder.File("twice"), [.. twice, .. twice], second);
            Assert.Equal(File.ReadAllBytes(folder.File("once")), File.ReadAllBytes(folder.File("twice")));
        }
    }

    [Theory]
    [InlineData(1, 34f)]
    [InlineData(1e-10, 3e38f)]
    [InlineData(1e-30, 1f)]
    [InlineData(1e38, 3e38f)]
    [InlineData(1e-40, 1e-38f)]
    public void ClippedGradientsHaveTheLimitAsTheirNorm(double limit, float gradient)
    {
        Parameter[] parameters = Parameters;
        foreach (Parameter parameter in parameters)
            Array.Fill(parameter.Gradients, gradient);
        long count = parameters.Sum(parameter => parameter.Gradients.LongLength);
        double norm = GradientClipping.ByNorm([.. parameters, parameters[0]], limit);
        Assert.Equal(gradient * Math.Sqrt(count), norm, norm * 1e-14);
        double after = Math.Sqrt(parameters.Sum(parameter => parameter.Gradients.Sum(number => (double)number * number)));
        // One rounding of each gradient: half an ulp of a normal one, half of the least number of a denormal one.
        Assert.Equal(limit, after, limit * Math.ScaleB(1, -24) + (double)float.Epsilon / 2 * Math.Sqrt(count));
        Assert.All(parameters, parameter => Assert.All(parameter.Gradients, number => Assert.NotEqual(0, number)));
    }

    [Fact]
    public void LimitsAreNumbersAboveZero()
    {
        Parameter[] parameters = Parameters;
        parameters[0].Gradients[0] = 3;
        foreach (double bad in new[] { 0, -1, double.NaN, -double.NaN, double.NegativeInfinity })
            Refused("limit", () => GradientClipping.ByNorm(parameters, bad));
        Assert.Equal(3, GradientClipping.ByNorm(parameters, double.PositiveInfinity));
        Assert.Equal(3, GradientClipping.ByNorm(parameters, 3));
        Assert.Equal(3, parameters[0].Gradients[0]);
        Assert.Equal(3, GradientClipping.ByNorm(parameters, double.Epsilon));
        Assert.Equal(0, parameters[0].Gradients[0]);
        Assert.Throws<ArgumentNullException>(() => GradientClipping.ByNorm(null!, 1));
    }

    [Fact]
    public void CheckpointsKeepRateAndSettings()
    {
        using var folder = new TemporaryFolder();
        Parameter[] parameters = Parameters;
        Checkpoint.Save(folder.File("adam"), parameters, new AdamW(parameters, 0.1, 0.2) { Rate = 0.025 });
        Checkpoint.Save(folder.File("sgd"), parameters, new Sgd(parameters, 0.1, 0.3) { Rate = 0 });
        AdamW adam = new(parameters, 0.7);
        Checkpoint.Load(folder.File("adam"), parameters, adam);
        Assert.Equal((0.025, 0.2), (adam.Rate, adam.WeightDecay));
        Sgd sgd = new(parameters, 0.7);
        Checkpoint.Load(folder.File("sgd"), parameters, sgd);
        Assert.Equal((0, 0.3), (sgd.Rate, sgd.Momentum));
    }

    [Fact]
    public void FilesWithoutSettingsLeaveThemAsTheyAre()
    {
        using var folder = new TemporaryFolder();
        Sgd sgd = Written(folder.File("before"), _ => { });
        Assert.Equal((2, 0.7, 0.5), (sgd.StepCount, sgd.Rate, sgd.Momentum));
    }

    [Theory]
    [InlineData("optimizer.rate", double.NaN)]
    [InlineData("optimizer.rate", -1)]
    [InlineData("optimizer.momentum", 1)]
    [InlineData("optimizer.momentum", double.PositiveInfinity)]
    public void NumbersThatNoOptimizerHasAreRefusedAndNothingIsChanged(string name, double number)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("bad");
        var refused = Assert.Throws<TensorFileException>(() => Written(path, settings => settings[name] = [number]));
        Assert.Equal(name, refused.TensorName);
        refused = Assert.Throws<TensorFileException>(() => Written(path, settings => settings[name] = [0.1, 0.1]));
        Assert.Equal(name, refused.TensorName);
        Parameter[] parameters = Parameters;
        Array.Fill(parameters[0].Values, 3);
        var sgd = new Sgd(parameters, 0.7, 0.5);
        Assert.Throws<TensorFileException>(() => Checkpoint.Load(path, parameters, sgd));
        Assert.Equal((0, 0.7, 0.5), (sgd.StepCount, sgd.Rate, sgd.Momentum));
        Assert.All(parameters[0].Values, value => Assert.Equal(3, value));
    }

    // A file of another hand, with the settings as given, and an optimiser that loads it.
    private static Sgd Written(string path, Action<Dictionary<string, double[]>> set)
    {
        Parameter[] parameters = Parameters;
        var settings = new Dictionary<string, double[]>();
        set(settings);
        (TensorInfo Tensor, float[] Elements)[] floats =
        [
            .. parameters.Select(parameter => (new TensorInfo(parameter.Name, TensorType.Float32, [.. parameter.Shape]), parameter.Values)),
            .. parameters.Select(parameter => (new TensorInfo($"{parameter.Name}.velocity", TensorType.Float32, [.. parameter.Shape]), parameter.Values)),
        ];
        var steps = new TensorInfo("optimizer.steps", TensorType.Int64, 1);
        IEnumerable<TensorInfo> numbers = settings.Select(setting => new TensorInfo(setting.Key, TensorType.Float64, setting.Value.Length));
        using (SafetensorsWriter writer = SafetensorsWriter.Create(path, [.. floats.Select(entry => entry.Tensor), steps, .. numbers]))
        {
            foreach ((TensorInfo tensor, float[] elements) in floats)
                writer.Write<float>(tensor.Name, elements);
            writer.Write<long>(steps.Name, [2]);
            foreach ((string name, double[] values) in settings)
                writer.Write<double>(name, values);
            writer.Commit();
        }
        var sgd = new Sgd(parameters, 0.7, 0.5);
        Checkpoint.Load(path, parameters, sgd);
        return sgd;
    }
}
