namespace Kernels.Cpu.ParaRnn;

/// <summary>What <see cref="RnnSolver.Auto"/> runs, on how many threads, and why.</summary>
internal readonly record struct RnnSolverChoice(RnnSolver Solver, int Threads, string Reason)
{
    // Giving work to a thread that waits for it, in the costs of RnnSizes: some 17 microseconds. One that sleeps comes later; then the caller does its work.
    private const double Wake = 1200;

    // What shooting must save to be chosen: it may need another sweep.
    private const double Margin = 0.95;

    // Measured: channels that fill three of a tile's four registers keep a core as busy as segments would, 24 of them in float with 256 bits. With 512 bits 32
    // channels gained a seventh in one hour and lost a fifth in another: 24 are enough there too.
    private const int EnoughRegistersPerCore = 3, EnoughChannelsPerCore = 24;

    // Beyond the cache segments are as many streams of short rows, which wait for memory: 32 channels took twice as long as in order, 16 as long.
    private const int EnoughRegistersBeyondCache = 1;

    /// <summary>The reasons where nothing was chosen.</summary>
    public const string AskedFor = "asked for", Nothing = "sequential: there is nothing to compute";

    /// <summary>Chooses from sizes alone.</summary>
    public static RnnSolverChoice Of(in RnnSizes sizes, int maxThreads)
    {
        if (sizes.Lanes == 0 || sizes.RunSteps == 0)
            return new(RnnSolver.Sequential, 1, Nothing);
        double sequential = Least(sizes, isShooting: false, maxThreads, out int threads);
        if (sizes.RegisterLanes == 1)
            return new(RnnSolver.Sequential, threads, "sequential: registers of one lane leave nothing to share among segments");
        double shooting = Least(sizes, isShooting: true, maxThreads, out int shootingThreads);
        int enough = Math.Min((sizes.IsBeyondCache ? EnoughRegistersBeyondCache : EnoughRegistersPerCore) * sizes.RegisterLanes, EnoughChannelsPerCore);
        if (sizes.Lanes >= (long)enough * shootingThreads)
            return new(RnnSolver.Sequential, threads, "sequential: the channels alone keep the lanes of each core busy enough");
        return shooting < Margin * sequential
            ? new(RnnSolver.MultipleShooting, shootingThreads,
                "segment shooting: few channels and long runs, so most lanes would idle through the latency of every step")
            : new(RnnSolver.Sequential, threads, "sequential: runs too short for segments to be worth their run-in and the copies");
    }

    // The least cost over numbers of threads, and the fewest that have it.
    private static double Least(in RnnSizes sizes, bool isShooting, int maxThreads, out int threads)
    {
        double least = double.PositiveInfinity;
        threads = 1;
        for (int count = 1; count <= maxThreads; count++)
        {
            double cost = (isShooting ? sizes.ShootingCost(count) : sizes.SequentialCost(count)) + (count > 1 ? Wake : 0);
            if (cost >= least)
                continue;
            least = cost;
            threads = count;
        }
        return least;
    }
}

/// <summary>
/// The sizes of a recurrence and what solving it costs, in steps of one register among enough others to hide its latency: some 14 ns of a GRU.
/// </summary>
/// <param name="RunCount">Runs, each from its own start.</param>
/// <param name="RunSteps">The steps of a run, on average.</param>
/// <param name="Channels">Channels of a run.</param>
/// <param name="RegisterLanes">Lanes of a register.</param>
/// <param name="IsBeyondCache">Whether gates and states exceed half of the last-level cache.</param>
internal readonly record struct RnnSizes(int RunCount, int RunSteps, int Channels, int RegisterLanes, bool IsBeyondCache = false)
{
    // A step that waits for its own latency: 44 ns of a GRU, the same for one register and for two.
    private const double Latency = 3;

    // Copying a step's gates and states between the caller's arrays and the lanes of a tile: for each group of neighbouring channels, and for each register of
    // it.
    private const double GroupCopy = 0.2, RegisterCopy = 0.1;

    public long Lanes => (long)RunCount * Channels;

    /// <summary>Tiles follow one another on a thread; each costs its registers or the latency.</summary>
    public double SequentialCost(int threads)
    {
        if (Channels < RegisterLanes)
        {
            long registers = (Lanes + RegisterLanes - 1) / RegisterLanes;
            return RunSteps * ((registers + threads - 1) / threads) * (Latency + CopiesOf(Math.Min(Lanes, RegisterLanes)));
        }
        long perThread = (RunCount * (((long)Channels + RegisterLanes - 1) / RegisterLanes) + threads - 1) / threads;
        return RunSteps * Math.Max(Latency * ((perThread + RnnTuning.TileVectors - 1) / RnnTuning.TileVectors), perThread);
    }

    /// <summary>One sweep after the run-in, all lanes copied.</summary>
    public double ShootingCost(int threads)
    {
        long tileLanes = (long)RnnTuning.TileVectors * RegisterLanes;
        int segments = RnnTuning.SegmentsOf(RunSteps, Lanes, tileLanes * threads), steps = (RunSteps + segments - 1) / segments;
        long lanes = (long)segments * Channels, tiles = RunCount * ((lanes + tileLanes - 1) / tileLanes), tile = Math.Min(lanes, tileLanes);
        double step = Math.Max(Latency, (double)tile / RegisterLanes) + CopiesOf(tile);
        return (tiles + threads - 1) / threads * (double)(steps + Math.Min(RnnTuning.RunInSteps, steps)) * step;
    }

    private double CopiesOf(long lanes)
    {
        // What fills no register is copied through masks, at twice the price.
        int partial = Channels == 1 ? 1 : Channels % RegisterLanes == 0 ? 0 : 2;
        return (double)lanes / Channels * (GroupCopy + RegisterCopy * (Channels / RegisterLanes + partial));
    }
}
