using ILGPU;
using ILGPU.Runtime;
using Kernels.Core.ParaRnn;

namespace Kernels.Gpu;

/// <summary>
/// Nonlinear recurrences h[t] = f(h[t-1], x[t]) of cells whose channels do not mix (ParaRNN, arXiv 2510.21450), on a device, step after step.
/// </summary>
/// <remarks>
/// <para>Cells: <see cref="ParaGru"/>, <see cref="ParaLstm"/>, <see cref="MinGru"/>, <see cref="DiagonalElman"/>, in float; any other gets a
/// <see cref="NotSupportedException"/>. Arrays, options and special values are those of <see cref="ParaRnn"/>. Every step is within 2e-6 max(1, |h|) of the
/// exact step from the state before it; on one device a channel of a sequence has the same bits whatever its batch mates.</para>
/// <para>A thread runs one channel of one sequence over all steps: made for many channels and sequences. Newton's method and shooting, which are parallel over
/// time, and gradients are the CPU's so far. One reading of the gate inputs, one writing of the states.</para>
/// <para>Calls on buffers queue a kernel on the device's default stream and return, and allocate nothing; calls on spans allocate buffers, copy both ways and
/// wait. A kernel is compiled when it is first needed, then kept. Not safe for concurrent use. Bad arguments throw an <see cref="ArgumentException"/> that
/// names the parameter, before anything is queued.</para>
/// </remarks>
public sealed class ParaRnnGpu
{
    private readonly Dictionary<Type, Action<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<byte>, ArrayView<float>,
        ArrayView<float>, RnnGpuShape>> _kernels = [];

    /// <summary>Takes no memory of the device.</summary>
    /// <param name="device">The device to run on; it must outlive this object.</param>
    public ParaRnnGpu(GpuDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Device = device;
    }

    /// <summary>The device it runs on.</summary>
    public GpuDevice Device { get; }

    /// <summary>Computes the states of all steps in the device's memory.</summary>
    /// <param name="gates">Gate inputs, [steps, sequences, gates, channels] or by <see cref="RnnShape.Order"/>, at the start of the buffer.</param>
    /// <param name="weights">Recurrent weights, [weights, channels]; any buffer for a cell that has none.</param>
    /// <param name="states">Receives the states, [steps, sequences, components, channels] or by the order; another buffer than the inputs.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="buffers">Initial and final states, lengths and resets that lie on the device; null for none.</param>
    /// <param name="direction">The direction of time.</param>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <exception cref="ArgumentException">A buffer is too short, of another device, or an output is an input.</exception>
    public void Forward<TCell>(
        GpuBuffer<float> gates, GpuBuffer<float> weights, GpuBuffer<float> states, RnnShape shape, RnnGpuBuffers? buffers = null,
        RnnDirection direction = RnnDirection.Forward)
        where TCell : struct, IRnnCell
    {
        RnnChecks.Shape(shape, nameof(shape));
        if (!Enum.IsDefined(direction))
            throw new ArgumentOutOfRangeException(nameof(direction), direction, "no such direction");
        GpuChecks.Buffer(Device, gates, shape.Elements(TCell.GateCount), nameof(gates));
        GpuChecks.Buffer(Device, weights, (long)TCell.WeightCount * shape.ChannelCount, nameof(weights));
        GpuChecks.Buffer(Device, states, shape.Elements(TCell.StateCount), nameof(states));
        GpuChecks.Distinct(states, gates, nameof(states), nameof(gates));
        GpuChecks.Distinct(states, weights, nameof(states), nameof(weights));
        buffers?.Check(Device, shape, TCell.StateCount, states);
        long threads = (long)shape.SequenceCount * shape.ChannelCount;
        if (threads > int.MaxValue)
            throw new ArgumentException($"{threads} channels of sequences are more than one launch counts", nameof(shape));
        var kernel = KernelOf<TCell>();
        if (threads > 0)
        {
            kernel((int)threads, gates.View<float>(), weights.View<float>(), View(buffers?.InitialState), View(buffers?.Lengths), View(buffers?.Resets),
                states.View<float>(),
                View(buffers?.FinalState), new RnnGpuShape(shape, direction));
        }
    }

    /// <summary>Computes the states of all steps in host memory: allocates on the device, copies there and back, waits.</summary>
    /// <param name="gates">Gate inputs, [steps, sequences, gates, channels] or by <see cref="RnnShape.Order"/>.</param>
    /// <param name="weights">Recurrent weights, [weights, channels].</param>
    /// <param name="states">Receives the states; at least as many elements, the rest stays as it is.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Initial and final state, lengths, resets, direction; the solver is <see cref="RnnSolver.Sequential"/> or left to choose. A token
    /// is looked at before the launch.</param>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <exception cref="ArgumentException">A size or an option is wrong, or an output overlaps an input.</exception>
    public void Forward<TCell>(ReadOnlySpan<float> gates, ReadOnlySpan<float> weights, Span<float> states, RnnShape shape, RnnOptions<float> options = default)
        where TCell : struct, IDifferentiableRnnCell
    {
        var problem = new RnnProblem<TCell, float>(gates, weights, states, shape, options);
        if (options.Solver is not (RnnSolver.Auto or RnnSolver.Sequential))
            throw new NotSupportedException($"{nameof(options.Solver)} {options.Solver} has no GPU kernels; the managed backend serves it.");
        GpuChecks.Variant(options.Kernel, GpuVariants.ParaRnn);
        options.Kernel.CancellationToken.ThrowIfCancellationRequested();
        _ = KernelOf<TCell>();
        using GpuBuffer<float> inputs = Device.Allocate(gates), recurrent = Device.Allocate(weights), outputs = Device.Allocate<float>(problem.States.Length);
        long boundary = (long)shape.SequenceCount * TCell.StateCount * shape.ChannelCount;
        using GpuBuffer<float>? initial = options.InitialState.IsEmpty ? null : Device.Allocate(options.InitialState), final = options.FinalState.IsEmpty ? null
            : Device.Allocate<float>(boundary);
        using GpuBuffer<int>? lengths = options.Lengths.IsEmpty ? null : Device.Allocate(options.Lengths);
        using GpuBuffer<byte>? resets = options.Resets.IsEmpty ? null : Device.Allocate(System.Runtime.InteropServices.MemoryMarshal.AsBytes(options.Resets));
        Forward<TCell>(inputs, recurrent, outputs, shape, new RnnGpuBuffers { InitialState = initial, FinalState = final, Lengths = lengths, Resets = resets },
            options.Direction);
        outputs.CopyTo(problem.States);
        final?.CopyTo(options.FinalState[..(int)boundary]);
    }

    private static ArrayView<T> View<T>(GpuBuffer<T>? buffer) where T : unmanaged => buffer == null ? ArrayView<T>.Empty : buffer.View<T>();

    private Action<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<byte>, ArrayView<float>, ArrayView<float>,
        RnnGpuShape> KernelOf<TCell>()
    {
        if (!_kernels.TryGetValue(typeof(TCell), out var kernel))
        {
            _kernels[typeof(TCell)] = kernel =
                typeof(TCell) == typeof(ParaGru) ? Load<ParaGruGpu>() :
                typeof(TCell) == typeof(ParaLstm) ? Load<ParaLstmGpu>() :
                typeof(TCell) == typeof(MinGru) ? Load<MinGruGpu>() :
                typeof(TCell) == typeof(DiagonalElman) ? Load<DiagonalElmanGpu>() :
                throw new NotSupportedException($"The cell {typeof(TCell)} has no GPU kernels: use ParaGru, ParaLstm, MinGru or DiagonalElman.");
        }
        return kernel;
    }

    private Action<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<byte>, ArrayView<float>, ArrayView<float>,
        RnnGpuShape> Load<TGpu>()
        where TGpu : struct, IRnnGpuCell =>
        Device.Accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<byte>,
            ArrayView<float>, ArrayView<float>, RnnGpuShape>(
            RnnGpuKernels.Forward<TGpu>);
}

/// <summary>What a recurrence may be given beside its inputs, in the device's memory.</summary>
public sealed class RnnGpuBuffers
{
    /// <summary>The states before the first step, [sequences, components, channels]; null (the default) for zeros.</summary>
    public GpuBuffer<float>? InitialState { get; init; }

    /// <summary>
    /// Receives the state after each sequence's last step in the direction of time, [sequences, components, channels]; null (the default) for nowhere.
    /// </summary>
    public GpuBuffer<float>? FinalState { get; init; }

    /// <summary>
    /// The steps of each sequence, [sequences], within 0 and the step count: a device cannot refuse them. Null (the default) for full length.
    /// </summary>
    public GpuBuffer<int>? Lengths { get; init; }

    /// <summary>1 where a step begins anew from a zero state, else 0, [sequences, steps]; null (the default) for nowhere.</summary>
    public GpuBuffer<byte>? Resets { get; init; }

    internal void Check(GpuDevice device, in RnnShape shape, int components, GpuBuffer<float> states)
    {
        long boundary = (long)shape.SequenceCount * components * shape.ChannelCount;
        if (InitialState != null)
            GpuChecks.Buffer(device, InitialState, boundary, nameof(InitialState));
        if (Lengths != null)
            GpuChecks.Buffer(device, Lengths, shape.SequenceCount, nameof(Lengths));
        if (Resets != null)
            GpuChecks.Buffer(device, Resets, (long)shape.SequenceCount * shape.StepCount, nameof(Resets));
        if (FinalState == null)
            return;
        GpuChecks.Buffer(device, FinalState, boundary, nameof(FinalState));
        GpuChecks.Distinct(FinalState, states, nameof(FinalState), nameof(states));
    }
}
