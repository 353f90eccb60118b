using System.Reflection;
using System.Text;

namespace Kernels.Repository.Tests;

/// <summary>The public surface against its approved form: a change shows up in review as a change of one text file.</summary>
public sealed class PublicApiTests
{
    private const string Approved = "tests/Kernels.Repository.Tests/PublicApi.approved.txt";
    private const string Received = "artifacts/PublicApi.received.txt";

    [Fact]
    public void IsTheApprovedOne()
    {
        string surface = Describe(typeof(MachineInfo).Assembly, typeof(Softmax).Assembly);
        if (File.Exists(Path.Combine(Repository.Root, Approved)) && surface == Repository.Read(Approved).ReplaceLineEndings("\n"))
            return;
        string received = Path.Combine(Repository.Root, Received);
        Directory.CreateDirectory(Path.GetDirectoryName(received)!);
        File.WriteAllText(received, surface);
        Assert.Fail($"The public surface is not the approved one. If it is meant, copy {Received} to {Approved}.");
    }

    [Fact]
    public void BackendsHaveNoPublicTypes()
    {
        Assert.Empty(Assembly.Load("Kernels.Cpu").GetExportedTypes());
        Assert.Empty(Assembly.Load("Kernels.Interop").GetExportedTypes());
    }

    private static string Describe(params Assembly[] assemblies)
    {
        var text = new StringBuilder();
        foreach (Type type in assemblies.SelectMany(assembly => assembly.GetExportedTypes()).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type)).Append('\n');
            foreach (string member in Members(type).Order(StringComparer.Ordinal))
                text.Append("    ").Append(member).Append('\n');
        }
        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsValueType ? (type.IsByRefLike ? "ref struct" : "struct") : type.IsInterface ? "interface" : type is { IsAbstract: true, IsSealed: true } ? "static class" : "class";

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags flags = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (FieldInfo field in type.GetFields(flags).Where(field => !field.IsSpecialName))
            yield return type.IsEnum ? $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue())}" : $"{Name(field.FieldType)} {field.Name}";
        foreach (PropertyInfo property in type.GetProperties(flags))
            yield return $"{Name(property.PropertyType)} {property.Name} {{{(property.GetMethod is { IsPublic: true } ? " get;" : "")}{(property.SetMethod is { IsPublic: true } ? " set;" : "")} }}";
        foreach (ConstructorInfo constructor in type.GetConstructors(flags))
            yield return $".ctor({Parameters(constructor)})";
        foreach (MethodInfo method in type.GetMethods(flags).Where(method => !method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)))
            yield return $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{Generics(method.GetGenericArguments())}({Parameters(method)})";
    }

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? " = default" : "")}"));

    private static string Generics(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!);
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        string name = type.IsGenericParameter || type.Namespace is "System" or "Kernels" ? type.Name : $"{type.Namespace}.{type.Name}";
        int arity = name.IndexOf('`');
        return arity < 0 ? name : name[..arity] + Generics(type.GetGenericArguments());
    }
}
