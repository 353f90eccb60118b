using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Kernels;

// What a user of the package does, whole, trimmed or compiled ahead of time: every family once, against what it must be, and which variant was chosen.
int faults = 0;
Console.WriteLine(RuntimeFeature.IsDynamicCodeSupported ? "just-in-time" : "ahead of time");
foreach (KernelDispatch dispatch in KernelInfo.Catalogue)
    Console.WriteLine($"  {dispatch.Chosen.Identity}");

// Native kernels ask the processor, whatever instructions this program was compiled for; but those of products and attention work beside managed code of the
// same instructions, which is there if this program was compiled for them: as it runs, or ahead of time with IlcInstructionSet.
bool hasAll = RuntimeFeature.IsDynamicCodeCompiled;
bool hasAvx2 = X86Base.IsSupported && (X86Base.CpuId(7, 0).Ebx & (1 << 5)) != 0;
KernelVariant[] native = [.. KernelInfo.Catalogue.SelectMany(dispatch => dispatch.Variants).Where(variant => variant.Backend == "native")];
Expect("native kernels are in the package", native.Length > 0
    && native.All(variant => variant.Availability != VariantAvailability.Absent || variant.Reason.Length > 0));
if (Environment.GetEnvironmentVariable("EXPECT_NATIVE") == "1")
{
    IEnumerable<KernelVariant> possible = native.Where(variant => hasAll || variant.Family is "softmax" or "int8_decomposition");
    foreach (KernelVariant variant in possible.Where(variant => variant.Implementation == "scalar" || (variant.Implementation == "avx2" && hasAvx2)))
        Expect($"{variant.Identity} is available, not {variant.Availability} ({variant.Reason})", variant.Availability == VariantAvailability.Available);
    Expect("softmax runs native", !hasAvx2 || KernelInfo.Catalogue.Where(dispatch => dispatch.Chosen.Family == "softmax")
        .All(dispatch => dispatch.Chosen.Backend == "native"));
}

float[] logits = [1, 2, 3, float.NegativeInfinity, 0, 100], probabilities = new float[6];
Softmax.Compute<float>(logits, probabilities, rowLength: 3);
Near("softmax", Math.Exp(-1) / (1 + Math.Exp(-1) + Math.Exp(-2)), probabilities[1]);

const int outputs = 64, inputs = 128;
float[] weights = new float[outputs * inputs], activations = new float[inputs], product = new float[outputs], plain = new float[outputs * inputs];
for (int i = 0; i < weights.Length; i++)
    weights[i] = MathF.Sin(i);
for (int i = 0; i < inputs; i++)
    activations[i] = MathF.Cos(i);
using (var packed = QuantizedWeights.Pack(weights, outputs, inputs, new(QuantizedType.U4, GroupSize: 32)))
{
    MixedPrecisionGemm.Multiply<float>(activations, packed, product);
    packed.Dequantize(plain);
    Near("four bits", Dot(plain, activations, 7), product[7]);
}
using (var packed = Int8Weights.Pack(weights, outputs, inputs))
{
    // All activations are outliers, and multiplied in float.
    Int8Decomposition.Multiply<float>(activations, packed, product, new() { Threshold = 1e-30f });
    packed.Dequantize(plain);
    Near("int8", Dot(plain, activations, 7), product[7]);
}

using (var cache = new KvCache(new() { KeyValueHeads = 1, HeadDimension = 16, PageCount = 4 }))
{
    int sequence = cache.CreateSequence();
    float[] keys = new float[32], values = new float[32], attended = new float[16];
    for (int i = 0; i < 16; i++)
        (values[i], values[16 + i]) = (i, i + 2);
    cache.Append(sequence, keys, values);
    SparseAttention.Decode(new float[16], cache, sequence, attended);
    Near("attention", 4, attended[3]);
}

CsrMatrix<double> graph = CsrMatrix.FromCoo<double>(3, 3, [0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1], [1, 1, 1, 1, 1, 1]);
Near("triangles", 1, Sparse.CountTriangles(graph));

var shape = new RnnShape(SequenceCount: 1, StepCount: 64, ChannelCount: 1);
float[] gates = new float[64 * 3], states = new float[64];
ParaRnn.Forward<ParaGru, float>(gates, [0.3f, -0.2f, 0.5f], states, shape);
Near("recurrent network", 0, states[63]);

double[] scores = new double[1];
TokenBatch<int> tokens = TokenBatch.Padded<int>([5, 6, 7, 8, 9], rowLength: 5, padToken: 0);
using (var scorer = new BleuScorer())
    scorer.Score(tokens, tokens, scores, new() { Smoothing = BleuSmoothing.Exponential });
Near("BLEU", 1, scores[0]);

Console.WriteLine(faults == 0 ? "all is as it must be" : $"{faults} faults");
return faults == 0 ? 0 : 1;

static double Dot(float[] matrix, float[] vector, int row)
{
    double sum = 0;
    for (int i = 0; i < vector.Length; i++)
        sum += (double)matrix[row * vector.Length + i] * vector[i];
    return sum;
}

void Near(string what, double expected, double actual) => Expect($"{what}: {actual}, not {expected}", Math.Abs(actual - expected) <= 1e-5);

void Expect(string what, bool holds)
{
    if (holds)
        return;
    faults++;
    Console.WriteLine($"  FAULT {what}");
}
