namespace TinyLlama;

/// <summary>How the matrices of the model are kept.</summary>
internal enum WeightKind
{
    /// <summary>As they are.</summary>
    F32,

    /// <summary>
    /// LLM.int8(): eight bits with a scale for each output, outlying activations in float; the classifier stays in float, as the paper's and bitsandbytes'
    /// does.
    /// </summary>
    Int8,

    /// <summary>Four bits with a scale for each 32 inputs, rounded to nearest.</summary>
    U4G32,

    /// <summary>The same, each rounding making up for those before it.</summary>
    U4G32Gptq,

    /// <summary>Four bits with a scale for each 128 inputs, rounded to nearest.</summary>
    U4G128,

    /// <summary>The same, each rounding making up for those before it.</summary>
    U4G128Gptq,

    /// <summary>As the checkpoint stores it: in 4 or 8 bits where it is quantised by GPTQ, AWQ or llama2.c, else in float.</summary>
    Stored,
}
