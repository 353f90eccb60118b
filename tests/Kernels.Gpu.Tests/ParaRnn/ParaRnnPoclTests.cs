using Xunit;

namespace Kernels.Gpu.Tests;

/// <summary>Longer sequences of more channels through OpenCL.</summary>
[Collection(PoclTests.Name)]
public sealed class ParaRnnPoclTests(PoclDevice pocl)
{
    [SkippableFact]
    public void EveryStepIsTheExactOne()
    {
        var rnn = new ParaRnnGpu(pocl.OrSkip());
        RnnGpuCases.CheckSteps<ParaGru>(rnn, 4, 500, 96);
        RnnGpuCases.CheckSteps<ParaLstm>(rnn, 2, 300, 130);
        RnnGpuCases.CheckSteps<MinGru>(rnn, 3, 400, 64);
        RnnGpuCases.CheckSteps<DiagonalElman>(rnn, 5, 300, 33);
    }
}
