namespace Kernels.Perf;

/// <summary>What is measured of the machine itself.</summary>
internal enum RoofKind
{
    /// <summary>Reading memory.</summary>
    Read,

    /// <summary>Copying with ordinary stores; bytes read plus bytes written.</summary>
    Copy,

    /// <summary>Copying with non-temporal stores; bytes read plus bytes written.</summary>
    CopyNonTemporal,

    /// <summary>f32 multiply-adds in registers, two operations each.</summary>
    MultiplyAdd,

    /// <summary>
    /// Products of unsigned 4-bit and signed 8-bit integers in registers, two operations each: eight vpmaddubsw added in 16 bits, then one vpmaddwd, added in
    /// 32 bits.
    /// </summary>
    NibbleDot,

    /// <summary>
    /// Exact products of signed 8-bit integers in registers, two operations each: vpdpbusd on the widest registers that the machine has it for, else vpmaddwd
    /// on 16-bit numbers and an addition.
    /// </summary>
    ByteDot,
}

/// <summary>One run of a roof loop.</summary>
/// <param name="Kind">The loop.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Work">Bytes moved or operations done.</param>
internal readonly record struct RoofSample(RoofKind Kind, int Threads, double Seconds, double Work);
