using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;

namespace Kernels.Gpu;

/// <summary>Operations that kernels need exactly as written, on every backend.</summary>
internal static class GpuOps
{
    private const int MantissaBits = 23, ExponentBias = 127;

    /// <summary>a b + c with one rounding. MathF.FusedMultiplyAdd itself would compile to a call that no GPU can link.</summary>
    [IntrinsicImplementation]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>2^n for an integral n in [-127, 127]; 2^-127 becomes 0.</summary>
    public static float PowerOfTwo(float n) => Interop.IntAsFloat((uint)((int)n + ExponentBias) << MantissaBits);

    /// <summary>1 / a to within one unit in the last place: OpenCL's own division may be off by 2.5. Any normal a whose reciprocal is normal.</summary>
    public static float Reciprocal(float a)
    {
        float r = 1f / a;
        return Fma(Fma(-a, r, 1f), r, r);
    }

    /// <summary>a / b, correctly rounded: from a reciprocal that is, by one step of Markstein's correction. Any normal b and quotient; 0 / b is 0.</summary>
    public static float Divide(float a, float b)
    {
        float r = Reciprocal(b), q = a * r;
        return Fma(Fma(-q, b, a), r, q);
    }

    /// <summary>The nearest integer, ties to even, of a magnitude below 2^22: adding 1.5 * 2^23 leaves a float no place for a fraction.</summary>
    public static int RoundToInt(float a)
    {
        const float noFraction = 12582912f;
        return (int)(a + noFraction - noFraction);
    }

    /// <summary>
    /// Waits for all threads of the group, after which each sees what the others wrote to shared memory. ILGPU's own barrier fences global memory alone in
    /// OpenCL.
    /// </summary>
    [IntrinsicImplementation]
    public static void Barrier() => Group.Barrier();

    /// <summary>c + the sum of four products of signed bytes, the first in the lowest bits; exact modulo 2^32.</summary>
    [IntrinsicImplementation]
    public static int DotBytes(int a, int b, int c) => DotBytesInParts(a, b, c);

    /// <summary>Lets the contexts that compile these kernels replace the methods above by the instruction or function of each backend.</summary>
    public static void Register(IntrinsicImplementationManager intrinsics)
    {
        Register(intrinsics, nameof(Fma), nameof(PtxFma), nameof(OpenClFma));
        Register(intrinsics, nameof(Barrier), nameof(PtxBarrier), nameof(OpenClBarrier));
        Register(intrinsics, nameof(DotBytes), nameof(PtxDotBytes), null);
        intrinsics.RegisterMethod(Method(nameof(DotBytes)), new CLIntrinsic(typeof(GpuOps), nameof(DotBytesInParts), IntrinsicImplementationMode.Redirect));
    }

    private static void Register(IntrinsicImplementationManager intrinsics, string method, string ptx, string? openCl)
    {
        intrinsics.RegisterMethod(Method(method), new PTXIntrinsic(typeof(GpuOps), ptx, IntrinsicImplementationMode.GenerateCode));
        if (openCl != null)
            intrinsics.RegisterMethod(Method(method), new CLIntrinsic(typeof(GpuOps), openCl, IntrinsicImplementationMode.GenerateCode));
    }

    private static System.Reflection.MethodInfo Method(string name) => typeof(GpuOps).GetMethod(name)!;

    private static int DotBytesInParts(int a, int b, int c) =>
        c + (sbyte)a * (sbyte)b + (sbyte)(a >> 8) * (sbyte)(b >> 8) + (sbyte)(a >> 16) * (sbyte)(b >> 16) + (a >> 24) * (b >> 24);

    private static void PtxBarrier(PTXBackend _, PTXCodeGenerator generator, Value __) => generator.Command("bar.sync 0");

    private static void OpenClBarrier(CLBackend _, CLCodeGenerator generator, Value __)
    {
        using var statement = generator.BeginStatement("barrier");
        statement.BeginArguments();
        statement.AppendCommand("CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE");
        statement.EndArguments();
    }

    private static void PtxDotBytes(PTXBackend _, PTXCodeGenerator generator, Value value) => PtxTernary(generator, value, "dp4a.s32.s32");

    private static void PtxFma(PTXBackend _, PTXCodeGenerator generator, Value value) => PtxTernary(generator, value, "fma.rn.f32");

    private static void PtxTernary(PTXCodeGenerator generator, Value value, string instruction)
    {
        var call = (MethodCall)value;
        var a = generator.LoadPrimitive(call[0]);
        var b = generator.LoadPrimitive(call[1]);
        var c = generator.LoadPrimitive(call[2]);
        var result = generator.AllocateHardware(value);
        using var command = generator.BeginCommand(instruction);
        command.AppendArgument(result);
        command.AppendArgument(a);
        command.AppendArgument(b);
        command.AppendArgument(c);
    }

    private static void OpenClFma(CLBackend _, CLCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        var a = generator.Load(call[0]);
        var b = generator.Load(call[1]);
        var c = generator.Load(call[2]);
        var result = generator.Allocate(value);
        using var statement = generator.BeginStatement(result);
        statement.AppendCommand("fma");
        statement.BeginArguments();
        statement.AppendArgument(a);
        statement.AppendArgument(b);
        statement.AppendArgument(c);
        statement.EndArguments();
    }
}
