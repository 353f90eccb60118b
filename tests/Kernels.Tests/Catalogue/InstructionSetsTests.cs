using Kernels.Core.Machine;

namespace Kernels.Tests;

/// <summary>When native code may run: the processor decides, and what the user turned off stays off.</summary>
public sealed class InstructionSetsTests
{
    private const string Lacking = "the processor lacks it";

    [Theory]
    [InlineData("", true, true, true)]
    [InlineData("", false, true, false)] // the processor has it and the runtime, which asked the same processor, has not: a setting
    [InlineData("", false, false, true)] // the target of a compilation ahead of time says nothing about the machine
    [InlineData("", true, false, true)]
    [InlineData(Lacking, true, true, false)]
    [InlineData(Lacking, false, false, false)]
    public void NativeCodeRunsWhereTheProcessorHasItAndNoSettingTurnsItOff(string native, bool isOn, bool isCompiledAsItRuns, bool runs)
    {
        string absence = InstructionSets.NativeAbsence(native, isOn, isCompiledAsItRuns);
        Assert.Equal(runs, absence.Length == 0);
        if (native.Length > 0)
            Assert.Equal(native, absence);
    }

    [Fact]
    public void EveryAbsentOrEmulatedVariantSaysWhy() => Assert.All(KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants),
        variant => Assert.Equal(variant.Availability == VariantAvailability.Available, variant.Reason.Length == 0));
}
