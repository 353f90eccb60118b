using Kernels.Core.Catalogue;

namespace Kernels.Tests;

/// <summary>Dispatch: the option, then KERNELS_FORCE, then the first available variant.</summary>
public sealed class VariantTableTests
{
    private static VariantEntry<string> Entry(string backend, string instructionSet, VariantAvailability availability) =>
        new(new KernelVariant("softmax", "f32", backend, instructionSet, availability, availability == VariantAvailability.Available ? "" : "not here"),
        $"{backend} {instructionSet}");

    private static VariantTable<string> Table(string? forced) => new(
        [Entry("cpu", "avx512", VariantAvailability.Emulated), Entry("cpu", "avx2", VariantAvailability.Available),
        Entry("native", "avx2", VariantAvailability.Absent), Entry("cpu", "scalar", VariantAvailability.Available)],
        forced);

    [Fact]
    public void TheFirstAvailableVariantIsTheDefault()
    {
        Assert.Equal("cpu avx2", Table(null).Select(default));
        Assert.Equal("softmax/f32/cpu/avx2", Table("").Chosen.Identity);
    }

    [Fact]
    public void TheOptionComesBeforeTheEnvironment()
    {
        VariantTable<string> table = Table(" softmax/f64/cpu/avx2 , softmax/f32/cpu/scalar");
        Assert.Equal("cpu scalar", table.Select(default));
        Assert.Equal("softmax/f32/cpu/scalar", table.Chosen.Identity);
        Assert.Equal("cpu avx2", table.Select(new KernelOptions { Variant = "softmax/f32/cpu/avx2" }));
    }

    [Theory]
    [InlineData("softmax/f32/cpu/avx512")]
    [InlineData("softmax/f32/native/avx2")]
    public void WhatTheMachineLacksIsRefused(string identity)
    {
        Assert.Contains(identity, Assert.Throws<PlatformNotSupportedException>(() => Table(null).Select(new KernelOptions { Variant = identity })).Message,
            StringComparison.Ordinal);
        PlatformNotSupportedException forced = Assert.Throws<PlatformNotSupportedException>(() => Table(identity).Select(default));
        Assert.Contains("KERNELS_FORCE", forced.Message, StringComparison.Ordinal);
        Assert.Contains("not here", forced.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnlyEmulationIsOpenToTests()
    {
        Assert.Equal("cpu avx512", Table(null).Select(new KernelOptions { Variant = "softmax/f32/cpu/avx512", AllowEmulation = true }));
        Assert.Throws<PlatformNotSupportedException>(() =>
            Table(null).Select(new KernelOptions { Variant = "softmax/f32/native/avx2", AllowEmulation = true }));
    }

    [Fact]
    public void UnknownIdentitiesAreRefused()
    {
        Assert.Equal("Variant", Assert.Throws<ArgumentException>(() => Table(null).Select(new KernelOptions { Variant = "softmax/f32/cpu/abacus" })).ParamName);
        Assert.Equal("KERNELS_FORCE", Assert.Throws<ArgumentException>(() => Table("softmax/f32/cpu/abacus")).ParamName);
    }

    [Fact]
    public void OneTableIsForcedOnce()
    {
        const string scalar = "softmax/f32/cpu/scalar";
        Assert.Equal(scalar, Table($"{scalar},{scalar}").Chosen.Identity);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Table($"{scalar},softmax/f32/cpu/avx2"));
        Assert.Equal("KERNELS_FORCE", refused.ParamName);
        Assert.Contains(scalar, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MisspeltFamiliesAreRefused()
    {
        IEnumerable<KernelVariant> catalogue = KernelInfo.Catalogue.SelectMany(d => d.Variants);
        ForcedVariants.Check("softmax/f32/cpu/scalar, softmax/f64/cpu/scalar", catalogue);
        ForcedVariants.Check(null, catalogue);
        Assert.Contains("sotfmax", Assert.Throws<ArgumentException>(() => ForcedVariants.Check("sotfmax/f32/cpu/scalar", catalogue)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsForcedForOneOperationLeavesItsSiblingsAlone()
    {
        VariantEntry<string> native = Entry("native", "scalar", VariantAvailability.Available), managed = Entry("cpu", "scalar", VariantAvailability.Available);
        var product = new VariantTable<string>([managed, native], native.Variant.Identity);
        var backward = new VariantTable<string>([managed], native.Variant.Identity, "backward", product.Variants);
        Assert.Equal("native scalar", product.Select(default));
        Assert.Equal("cpu scalar", backward.Select(default));
        Assert.Equal("softmax.backward", backward.Operation);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => backward.Select(new KernelOptions { Variant = native.Variant.Identity }));
        Assert.Equal("Variant", refused.ParamName);
        Assert.Contains("softmax.backward", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new VariantTable<string>([managed], "softmax/f32/cpu/abacus", "backward", product.Variants));
    }
}
