using System.Reflection;

namespace Kernels.Tests;

/// <summary>
/// No option lies: every property of every options type is in the list, takes both ends of its range, refuses what lies beyond by name and value, and changes
/// something.
/// </summary>
public sealed class OptionRangeTests
{
    private static readonly Dictionary<string, OptionCase> s_cases =
        OptionCases.Rows().Concat(OptionCases.Attention()).Concat(OptionCases.Sparse()).Concat(OptionCases.Recurrent()).Concat(OptionCases.Products())
        .ToDictionary(option => option.Name);

    public static TheoryData<string> Names => [.. s_cases.Keys];

    [Fact]
    public void EveryPropertyOfEveryOptionsTypeIsInTheList()
    {
        IEnumerable<string> properties = typeof(KernelInfo).Assembly.GetExportedTypes()
            .Where(type => type.IsValueType && Name(type).EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null)
                .Select(property => $"{Name(type)}.{property.Name}"));
        Assert.Equal(properties.Order(StringComparer.Ordinal), s_cases.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TakesBothEndsOfItsRange(string name)
    {
        Assert.NotEmpty(s_cases[name].Accepted);
        Assert.All(s_cases[name].Accepted, accepted => accepted.Run());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RefusesWhatLiesBeyondByNameAndValue(string name) => Assert.All(s_cases[name].Refused, refused =>
    {
        ArgumentException exception = Assert.ThrowsAny<ArgumentException>(refused.Run);
        Assert.Equal(refused.Parameter, exception.ParamName);
        if (refused.IsShown)
            Assert.Contains(refused.Value, exception.Message, StringComparison.Ordinal);
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void ChangesSomething(string name) => Assert.NotEqual(s_cases[name].Without(), s_cases[name].With());

    private static string Name(Type type) => type.Name.Split('`')[0];
}
