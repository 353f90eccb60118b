namespace Kernels.Cpu.Simd;

/// <summary>
/// A SIMD register of elements <typeparamref name="T"/> (float or double) as a static interface: one kernel body serves every width, and the JIT
/// compiles each call to an instruction. <typeparamref name="V"/> is Vector128, 256 or 512 of T, or T itself.
/// </summary>
internal unsafe interface ISimd<V, T>
    where V : unmanaged
    where T : unmanaged
{
    /// <summary>The number of elements of a register.</summary>
    static abstract int Count { get; }

    static abstract V Broadcast(T value);

    static abstract V Load(ref T source, nuint index);

    static abstract void Store(V value, ref T destination, nuint index);

    /// <summary>
    /// The first <paramref name="lanes"/> (fewer than all) elements, and <paramref name="fill"/> in the other lanes; not a byte beyond them is read. The source
    /// is pinned.
    /// </summary>
    static abstract V LoadFirst(ref T source, nuint index, nuint lanes, V fill);

    /// <summary>Writes the first <paramref name="lanes"/> (fewer than all) elements, and not a byte beyond them. The destination is pinned.</summary>
    static abstract void StoreFirst(V value, ref T destination, nuint index, nuint lanes);

    /// <summary>Stores past the caches; the address must be a multiple of the register's size.</summary>
    static abstract void StoreNonTemporal(V value, T* destination);

    static abstract V Add(V a, V b);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    static abstract V Divide(V a, V b);

    /// <summary>
    /// a b + c: rounded once where the processor has the instruction. Without it float sums the exact product in double and rounds that, which differs only
    /// where the double lies halfway between two floats; double rounds twice.
    /// </summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>a if a &gt; b, else b: NaN in b is returned; NaN in a is dropped on x86-64 and in software, and returned on ARM64.</summary>
    static abstract V MaxKeepingSecond(V a, V b);

    static abstract V Abs(V a);

    /// <summary>The magnitude of a with the sign of b.</summary>
    static abstract V CopySign(V a, V b);

    /// <summary>a where |x| &lt; limit, else b.</summary>
    static abstract V SelectBelow(V x, V limit, V a, V b);

    /// <summary>value, but 0 where x equals y, which NaN does not.</summary>
    static abstract V ZeroWhereEqual(V value, V x, V y);

    /// <summary>
    /// The number whose bits are (bits of z shifted into the exponent field) + bits of offset: see <see cref="ExtendedExponential{TSimd, V, T}"/>.
    /// </summary>
    static abstract V ExponentOf(V z, V offset);

    /// <summary>The register whose elements all have the bits of this integer.</summary>
    static abstract V BroadcastBits(long bits);

    /// <summary>The first element.</summary>
    static abstract T First(V value);

    /// <summary>The largest element; not specified if there is a NaN.</summary>
    static abstract T MaxAcross(V value);

    /// <summary>
    /// Adds x to a running sum in at least twice the precision of float, held in two registers that start as zeros: two registers of doubles for
    /// float, sum and compensation (Knuth's TwoSum) for double.
    /// </summary>
    static abstract void Accumulate(ref V lower, ref V upper, V x);

    /// <summary>What <see cref="Accumulate"/> gathered, over all elements, in a fixed order.</summary>
    static abstract double SumAcross(V lower, V upper);

    /// <summary>(x - first) - second in double, rounded once to T.</summary>
    static abstract V SubtractWide(V x, double first, double second);

    /// <summary>The same with first[index + i] and second[index + i] for element i.</summary>
    static abstract V SubtractWide(V x, ref double first, ref double second, nuint index);

    /// <summary>
    /// Adds x[i] to the running sum sums[index + i] + lost[index + i] in at least twice the precision of float: in double for float, which loses nothing that
    /// counts; with Knuth's TwoSum for double.
    /// </summary>
    static abstract void AccumulateEach(ref double sums, ref double lost, nuint index, V x);

    /// <summary>sums[index + i] += x[i], in double.</summary>
    static abstract void AddToDoubles(ref double sums, nuint index, V x);
}
