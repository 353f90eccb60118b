using System.Reflection;

namespace Kernels.Tests;

/// <summary>
/// One idiom for "the default": <c>default(T)</c> equals <c>new T()</c>. Held for every public value type of the library, so that no list can be incomplete;
/// ref structs cannot be boxed, so their constructors are looked at.
/// </summary>
public sealed class OptionTypeTests
{
    private static readonly Type[] s_types = typeof(KernelInfo).Assembly.GetExportedTypes();

    public static TheoryData<string> ValueTypes => [.. s_types.Where(type => type is { IsValueType: true, IsEnum: false }).Select(type => type.FullName!)];

    public static TheoryData<string> Types => [.. s_types.Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(ValueTypes))]
    public void DefaultIsNew(string name)
    {
        Type type = typeof(KernelInfo).Assembly.GetType(name, throwOnError: true)!;
        // Without a constructor of its own, new T() is default(T), field by field.
        Assert.Null(type.GetConstructor(Type.EmptyTypes));
        // new T(...) with every argument left out reads like new T(): it must not be another value. Where all parameters are optional, their defaults are those
        // of their types.
        foreach (ConstructorInfo constructor in type.GetConstructors()
            .Where(c => c.GetParameters().Length > 0 && c.GetParameters().All(parameter => parameter.IsOptional)))
            Assert.All(constructor.GetParameters(), parameter =>
                Assert.True(IsDefault(parameter), $"{name}: {parameter.Name} has the default {parameter.DefaultValue}"));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void OptionsAreTakenByValue(string name)
    {
        // F# refuses a ref struct by "in" (FS0412), and a library that takes some by "in" and others by value has no rule.
        Type type = typeof(KernelInfo).Assembly.GetType(name, throwOnError: true)!;
        IEnumerable<MethodBase> members = type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Cast<MethodBase>().Concat(type.GetConstructors());
        Assert.Equal([], members.SelectMany(member => member.GetParameters().Where(IsOptionByReference)
            .Select(parameter => $"{member.Name}: {parameter.Name}")));
    }

    private static bool IsOptionByReference(ParameterInfo parameter) =>
        parameter.ParameterType.IsByRef && parameter.ParameterType.GetElementType()!.Name.Split('`')[0].EndsWith("Options", StringComparison.Ordinal);

    private static bool IsDefault(ParameterInfo parameter)
    {
        object? value = parameter.DefaultValue;
        return value is null || Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture) == 0;
    }
}
