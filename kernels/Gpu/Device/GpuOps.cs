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

    /// <summary>Lets the contexts that compile these kernels replace <see cref="Fma"/> by the instruction or function of each backend.</summary>
    public static void Register(IntrinsicImplementationManager intrinsics)
    {
        System.Reflection.MethodInfo fma = typeof(GpuOps).GetMethod(nameof(Fma))!;
        intrinsics.RegisterMethod(fma, new PTXIntrinsic(typeof(GpuOps), nameof(PtxFma), IntrinsicImplementationMode.GenerateCode));
        intrinsics.RegisterMethod(fma, new CLIntrinsic(typeof(GpuOps), nameof(OpenClFma), IntrinsicImplementationMode.GenerateCode));
    }

    private static void PtxFma(PTXBackend _, PTXCodeGenerator generator, Value value)
    {
        var call = (MethodCall)value;
        var a = generator.LoadPrimitive(call[0]);
        var b = generator.LoadPrimitive(call[1]);
        var c = generator.LoadPrimitive(call[2]);
        var result = generator.AllocateHardware(value);
        using var command = generator.BeginCommand("fma.rn.f32");
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
