using Kernels.Core.Int8Decomposition;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// The dot product that an instruction set offers for signed bytes, exact for the whole range -128..127. A register of weights holds 4 inputs of
/// <see cref="Columns"/> outputs as <see cref="Int8WeightsLayout"/> has them; a register of activations holds the same 4 inputs of one row again and again.
/// </summary>
internal unsafe interface IInt8Dot<V> where V : unmanaged
{
    /// <summary>Outputs of a register.</summary>
    static abstract int Columns { get; }

    /// <summary>Bytes in which an activation is kept for <see cref="LoadActivations"/>.</summary>
    static abstract int ActivationBytes { get; }

    /// <summary>
    /// What <see cref="StoreActivations"/> adds to an activation. Its product with the weights is taken off again by starting sums at -shift (sum of weights).
    /// </summary>
    static abstract int ActivationShift { get; }

    static abstract V Zero { get; }

    static abstract V LoadWeights(byte* lanes);

    static abstract V LoadActivations(byte* inputs);

    /// <summary>totals + the 4 products of each output; modulo 2^32.</summary>
    static abstract V Add(V totals, V weights, V activations);

    /// <summary>sums[c] += total of output c; modulo 2^32.</summary>
    static abstract void AddTo(V totals, int* sums);

    /// <summary>Stores 4 activations, the bytes of an integer, in the form that <see cref="LoadActivations"/> reads.</summary>
    static abstract void StoreActivations(int values, byte* packed);
}
