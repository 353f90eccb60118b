namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>
/// A register of 32-bit lanes as a static interface: a lane is a float, an int32, or 4 bytes (inputs) of one output, as each method says.
/// <typeparamref name="V"/> is Vector128, 256 or 512 of int, or uint for the scalar kernels.
/// </summary>
internal unsafe interface IGemmSimd<V> where V : unmanaged
{
    /// <summary>The number of lanes: outputs handled side by side.</summary>
    static abstract int Lanes { get; }

    /// <summary>
    /// The most rows of a tile of two registers of outputs. 32 registers: 12 sums and 12 totals of 6 rows, 2 registers of weights, 2 of packed ones, an
    /// activation and a product. 16 registers: 10 sums of 5 rows (totals in memory). Either way there are as many chains of additions as cover the latency of
    /// two pipes of 4 cycles.
    /// </summary>
    static abstract int TileRows { get; }

    static abstract V Zero { get; }

    static abstract V Load(void* source);

    static abstract void Store(V value, void* destination);

    /// <summary>The same float in every lane.</summary>
    static abstract V Broadcast(float value);

    /// <summary>The same 4 bytes in every lane.</summary>
    static abstract V BroadcastLane(void* source);

    /// <summary>Lower four bits of every byte.</summary>
    static abstract V LowNibbles(V bytes);

    /// <summary>Upper four bits of every byte, shifted down.</summary>
    static abstract V HighNibbles(V bytes);

    /// <summary>Byte 0, 1, 2 or 3 of every lane, unsigned, as a float.</summary>
    static abstract V ByteToSingle(V bytes, int index);

    /// <summary>table[b] for byte b = 0, 1, 2 or 3 of every lane, which is below 16.</summary>
    static abstract V LookUp(V bytes, int index, float* table);

    /// <summary>Unsigned 16-bit numbers, one for each lane, as int32.</summary>
    static abstract V LoadShorts(void* source);

    /// <summary>four[p] for p the two bits of every lane from bit 2 index on.</summary>
    static abstract V Select(float* four, V positions, int index);

    /// <summary>int32 to float; exact up to 2^24.</summary>
    static abstract V ToSingle(V integers);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    /// <summary>a b + c in float; one rounding where the processor has the instruction.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>Unsigned bytes, one for each lane, as floats.</summary>
    static abstract V LoadBytes(byte* source);

    /// <summary>Finite binary16 numbers as floats.</summary>
    static abstract V LoadHalves(Half* source);

    static abstract V LoadBFloat16s(BrainFloat16* source);
}

/// <summary>Integer dot products of 4 unsigned bytes (weights) and 4 signed bytes (activations, -127 to 127) in every lane.</summary>
internal interface IGemmDot<V> where V : unmanaged
{
    /// <summary>
    /// How many steps of 8 inputs <see cref="AddNibbles"/> may add to one partial sum before <see cref="Flush"/>. Two products of a nibble and an activation
    /// are at most 2 * 15 * 127 = 3810 in magnitude; where partial sums are 16-bit lanes, 8 of them reach 30480 &lt; 32767: 8 lanes of 4 inputs are 4 steps.
    /// </summary>
    static abstract int StepsPerFlush { get; }

    /// <summary>Adds the dot product with weights of 0 to 15 to a partial sum.</summary>
    static abstract V AddNibbles(V partial, V weights, V activations);

    /// <summary>total + what <see cref="AddNibbles"/> gathered, in int32 lanes.</summary>
    static abstract V Flush(V total, V partial);

    /// <summary>
    /// Adds the dot product with weights of 0 to 255 to int32 lanes. Without 32-bit dot instructions the weight is cut into nibbles, low + 16 high, since
    /// 2 * 255 * 127 = 64770 would saturate 16 bits; each nibble's pair of products is at most 3810 as above.
    /// </summary>
    static abstract V AddBytes(V total, V weights, V activations);
}
