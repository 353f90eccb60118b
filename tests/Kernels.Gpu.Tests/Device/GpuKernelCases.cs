using System.Reflection;
using ILGPU.Backends.EntryPoints;
using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>
/// Every kernel of every room with every type it is compiled for, found by reflection: a type parameter stands for all types of its constraint.
/// </summary>
public static class GpuKernelCases
{
    private static readonly Type[] s_rooms = [typeof(SoftmaxGpuKernels), typeof(SoftmaxGpuGradientKernels), typeof(GemmGpuKernels), typeof(Int8GpuQuantizer),
        typeof(Int8GpuKernels),
        typeof(BleuGpuKernels), typeof(RnnGpuKernels)];

    private static readonly (string Token, Type Storage, Type Element)[] s_elements =
    [
        ("f32", typeof(float), typeof(Float32Element)),
        ("f16", typeof(ushort), typeof(Float16Element)),
        ("bf16", typeof(ushort), typeof(BFloat16Element)),
    ];

    // What stands for a type parameter beside the elements: every struct that implements the interface it is constrained to.
    private static readonly Type[] s_choices = [typeof(ISoftmaxGpuOutput), typeof(ISoftmaxGpuGradient), typeof(IGemmGpuFormat), typeof(IRnnGpuCell)];

    /// <summary>Names such as <c>SoftmaxGpuKernels.Rows/f32/SoftmaxGpuProbabilities</c>.</summary>
    public static TheoryData<string> Names => [.. Methods.Keys];

    internal static EntryPointDescription EntryPoint(string name)
    {
        MethodInfo method = Methods[name];
        return IsImplicitlyGrouped(method) ? EntryPointDescription.FromImplicitlyGroupedKernel(method)
            : EntryPointDescription.FromExplicitlyGroupedKernel(method);
    }

    private static Dictionary<string, MethodInfo> Methods { get; } = s_rooms
        .SelectMany(room => room.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
        .SelectMany(Instances)
        .ToDictionary(instance => instance.Name, instance => instance.Method);

    private static bool IsImplicitlyGrouped(MethodInfo method) => method.GetParameters()[0].ParameterType.GetInterfaces()
        .Any(type => type.Name.StartsWith("IIndex", StringComparison.Ordinal));

    private static IEnumerable<(string Name, MethodInfo Method)> Instances(MethodInfo kernel)
    {
        string name = $"{kernel.DeclaringType!.Name}.{kernel.Name}";
        if (!kernel.IsGenericMethod)
            return [(name, kernel)];
        Type[] parameters = kernel.GetGenericArguments();
        bool hasElements = parameters[0].Name == "TStorage";
        IEnumerable<(string Name, Type[] Types)> instances = hasElements ? s_elements.Select(e => ($"{name}/{e.Token}", new[] { e.Storage, e.Element }))
            : [(name, [])];
        foreach (Type parameter in parameters.Skip(hasElements ? 2 : 0))
            instances = [.. instances.SelectMany(instance =>
                ChoicesOf(parameter).Select(choice => ($"{instance.Name}/{choice.Name}", instance.Types.Append(choice).ToArray())))];
        return instances.Select(instance => (instance.Name, kernel.MakeGenericMethod(instance.Types)));
    }

    private static IEnumerable<Type> ChoicesOf(Type parameter)
    {
        Type choice = s_choices.Single(parameter.GetGenericParameterConstraints().Contains);
        return choice.Assembly.GetTypes().Where(type => type.IsValueType && type.IsAssignableTo(choice));
    }
}
