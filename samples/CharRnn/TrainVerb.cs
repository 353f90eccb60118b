using System.CommandLine;
using System.Globalization;
using Kernels;

namespace CharRnn;

/// <summary><c>train</c>: trains a model, or goes on with one.</summary>
internal static class TrainVerb
{
    private const int SampleLength = 400;

    private static readonly TrainingPlan s_standard = new();

    public static Command Create()
    {
        Argument<FileInfo?> file = Verbs.Text();
        Option<int> steps = Verbs.Count("--steps", "The step to train to, counted from the model's first.", 1000);
        Option<int> hidden = Verbs.Count("--hidden", "Channels of a layer.", 192);
        Option<int> layers = Verbs.Count("--layers", "Layers.", 2);
        Option<int> seed = Verbs.Count("--seed", "The seed of the weights and of the order of the text.", 1);
        Option<int> saveEvery = Verbs.Count("--save-every", "Steps from checkpoint to checkpoint.", 200);
        var coolDown = new Option<int>(
            "--cool-down")
        {
            Description =
            "Steps before the last one in which the learning rate falls to 0. The model gets better at once, and worse to go on with."
        };
        coolDown.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() < 0)
                given.AddError("--cool-down: 0 or more is needed");
        });
        Option<int> sequences = Verbs.Count("--sequences", "Stretches of text in a step.", s_standard.SequenceCount);
        Option<int> length = Verbs.Count("--length", "Characters of a stretch.", s_standard.Length);
        var rate = new Option<double>("--rate") { Description = "The learning rate of the first steps.", DefaultValueFactory = _ => s_standard.Rate };
        rate.Validators.Add(given =>
        {
            if (!(given.GetValueOrDefault<double>() is >= 0 and < double.PositiveInfinity))
                given.AddError("--rate: a finite number of at least 0 is needed");
        });
        var cell = new Option<CellKind>("--cell") { Description = "gru or lstm.", DefaultValueFactory = _ => CellKind.Gru };
        cell.Validators.Add(given =>
        {
            if (!Enum.IsDefined(given.GetValueOrDefault<CellKind>()))
                given.AddError("--cell: gru or lstm is needed");
        });
        var solver = new Option<RnnSolver>("--solver")
        {
            Description = "How recurrences are solved: auto, sequential, segmentshooting or newton.",
            DefaultValueFactory = _ => RnnSolver.Auto
        };
        Option<FileInfo> checkpoint = Verbs.Checkpoint();
        var resume = new Option<bool>("--resume") { Description = "Go on with the checkpoint, whatever it is made of." };
        var overwrite = new Option<bool>("--overwrite") { Description = "Begin anew where there is a checkpoint already." };
        var plot = new Option<FileInfo?>("--plot") { Description = "Draw the losses to this .svg file." };
        plot.Validators.Add(Verbs.RefuseMissingFolder);
        var command = new Command("train", "Trains a model on a text.") { file, steps, hidden, layers, cell, sequences, length, rate, coolDown, seed, solver,
            checkpoint, saveEvery, resume, overwrite, plot };
        command.Validators.Add(given =>
        {
            if (given.GetValue(resume) && new Option[] { hidden, layers, cell, sequences, length, rate, seed, overwrite }.FirstOrDefault(option =>
                given.GetResult(option) is { Implicit: false }) is { } fixedByFile)
                given.AddError($"--resume goes on with the checkpoint as it is: {fixedByFile.Name} cannot be given");
        });
        command.SetWork((parsed, interrupted) =>
        {
            string path = parsed.GetValue(checkpoint)!.FullName;
            TrainingRun run = parsed.GetValue(resume)
                ? TrainingRun.Load(path, alphabet => Verbs.ReadCorpus(parsed.GetValue(file), alphabet))
                : Begin(path, parsed.GetValue(overwrite), () => new TrainingRun(
                    new ModelShape(parsed.GetValue(cell), parsed.GetValue(hidden), parsed.GetValue(layers)), Verbs.ReadCorpus(parsed.GetValue(file), null),
                    new TrainingPlan(parsed.GetValue(sequences), parsed.GetValue(length), parsed.GetValue(rate)), parsed.GetValue(seed)));
            if (run.IsOnAnotherText)
                Console.WriteLine($"Note: {path} was trained on another text.");
            run.Model.Solver = parsed.GetValue(solver);
            Train(run, parsed.GetValue(steps), parsed.GetValue(coolDown), path, parsed.GetValue(saveEvery), interrupted);
            if (parsed.GetValue(plot) is { } drawing && run.History.Points.Count > 0)
                LossPlot.Save(drawing.FullName, run.History.Points);
            return Conclude(run, path, interrupted);
        });
        return command;
    }

    private static TrainingRun Begin(string path, bool overwrite, Func<TrainingRun> create) => overwrite || !File.Exists(path)
        ? create()
        : throw new InvalidDataException($"{path} is there already: --resume goes on with it, --overwrite begins anew");

    private static void Train(TrainingRun run, long lastStep, int coolDown, string path, int saveEvery, CancellationToken interrupted)
    {
        TrainingProgress.During(run, lastStep, stepDone =>
        {
            while (run.StepCount < lastStep && !interrupted.IsCancellationRequested)
            {
                run.Step(coolDown == 0 ? 1 : Math.Min(1, (double)(lastStep - run.StepCount) / coolDown));
                if (run.StepCount % saveEvery == 0)
                    run.Save(path);
                stepDone();
            }
        });
        run.Save(path);
    }

    private static int Conclude(TrainingRun run, string path, CancellationToken interrupted)
    {
        if (interrupted.IsCancellationRequested)
        {
            Console.WriteLine($"Interrupted after step {run.StepCount}; {path} holds all of it, and --resume goes on from there.");
            return Verbs.Interrupted;
        }
        if (run.History.Points.Count > 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{run.StepCount} steps: {run.History.Points[^1].HeldOut:0.000} bits per character on held-out text. Checkpoint: {path}"));
        Console.WriteLine();
        Console.WriteLine(new CharacterReader(run.Model).Write(run.Prompt, SampleLength, Verbs.StandardTemperature, seed: 1, interrupted));
        return Verbs.Done;
    }
}
