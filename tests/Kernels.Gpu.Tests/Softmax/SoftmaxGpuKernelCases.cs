using System.Reflection;
using ILGPU.Backends.EntryPoints;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Every kernel of the softmax room with every type it is compiled for.</summary>
public static class SoftmaxGpuKernelCases
{
    private static readonly (string Token, Type Storage, Type Element)[] Elements =
    [
        ("f32", typeof(float), typeof(Float32Element)),
        ("f16", typeof(ushort), typeof(Float16Element)),
        ("bf16", typeof(ushort), typeof(BFloat16Element)),
    ];

    private static readonly Type[] Outputs = [typeof(SoftmaxGpuProbabilities), typeof(SoftmaxGpuLogProbabilities)];

    /// <summary>Names such as <c>Rows/f32/SoftmaxGpuProbabilities</c>.</summary>
    public static TheoryData<string> Names => [.. Methods.Keys];

    internal static EntryPointDescription EntryPoint(string name) => EntryPointDescription.FromExplicitlyGroupedKernel(Methods[name]);

    private static Dictionary<string, MethodInfo> Methods { get; } = typeof(SoftmaxGpuKernels)
        .GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .SelectMany(Instances)
        .ToDictionary(instance => instance.Name, instance => instance.Method);

    private static IEnumerable<(string Name, MethodInfo Method)> Instances(MethodInfo kernel)
    {
        int parameters = kernel.IsGenericMethod ? kernel.GetGenericArguments().Length : 0;
        if (parameters == 0)
            return [(kernel.Name, kernel)];
        return parameters == 2
            ? Elements.Select(e => ($"{kernel.Name}/{e.Token}", kernel.MakeGenericMethod(e.Storage, e.Element)))
            : Elements.SelectMany(e => Outputs.Select(output => ($"{kernel.Name}/{e.Token}/{output.Name}", kernel.MakeGenericMethod(e.Storage, e.Element, output))));
    }
}
