using Kernels.Core.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>The micro-kernels of attention. Rows of scores are <see cref="AttentionTuning.Tile"/> long.</summary>
internal unsafe interface IAttentionKernels
{
    /// <summary>Columns of a sliver: what <see cref="Multiply"/> does side by side. Divides the tile.</summary>
    static abstract int SliverWidth { get; }

    /// <summary>
    /// c[r, s W + l] = (or +=) sum over k of a[r rowStride + k depthStride] b[s][k][l]: a panel b of slivers, W columns each, depth after depth.
    /// Each sum is taken in the order of k, whatever the number of rows.
    /// </summary>
    static abstract void Multiply(in TileProduct product);

    /// <summary>
    /// Turns rows of logits into terms and adds them to their rows' sums, as long as no logit is above its row's limit, which would move the row's exponent.
    /// Returns the first row, from <paramref name="first"/> on, with such a logit, or the number of rows.
    /// </summary>
    static abstract int AddTerms(float* logits, long stride, AttentionRow* rows, int first, int count);

    /// <summary>The largest of a row of scores; not specified if there is a NaN.</summary>
    static abstract float Max(float* scores);

    /// <summary>scores[i] = exp(scores[i] - origin) 2^-exponent; 0 below 2^-126. Returns their sum.</summary>
    static abstract float Exponentiate(float* scores, float origin, int exponent);

    /// <summary>destination[i] = factor x[i].</summary>
    static abstract void CopyScaled(float* x, float* destination, long count, float factor);

    /// <summary>sums[i] += factor x[i].</summary>
    static abstract void AddScaled(float* x, float* sums, long count, float factor);

    /// <summary>sums[i] += scores[i].</summary>
    static abstract void AddToDoubles(float* scores, double* sums);

    /// <summary>scores[i] = cap tanh(scores[i] / cap).</summary>
    static abstract void Cap(float* scores, float cap);

    /// <summary>
    /// scores[r][j] = q_r k_j for keys as they are stored; <paramref name="keys"/> has a whole tile of valid addresses, of which keyCount matter.
    /// </summary>
    static abstract void ScoreKeys<TFormat>(byte** keys, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat;

    /// <summary>output[r] += sum over j of scores[r][j] v_j for values as they are stored.</summary>
    static abstract void AddValues<TFormat>(byte** values, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat;

    /// <summary>Scores of a few heads for blocks of tokens in planes of four bits: see <see cref="PlaneTile"/>.</summary>
    static abstract void ScorePlanes(in PlaneTile tile);
}

/// <summary>The operands of <see cref="IAttentionKernels.Multiply"/>.</summary>
internal unsafe struct TileProduct
{
    public float* A;
    public int RowStride;
    public int DepthStride;
    public int RowCount;
    public int Depth;
    public float* Slivers;
    public int SliverCount;
    public float* C;
    public int Stride;
    public bool Add;
}

/// <summary>
/// A few query rows with their scores and results: queries and results [rows, Stride], zeros from the head dimension on; scores [rows, tile].
/// </summary>
internal unsafe struct StreamedRows
{
    public float* Queries;
    public float* Scores;
    public float* Output;

    /// <summary>A tile of rows that will be read next, fetched meanwhile; never null.</summary>
    public byte** Ahead;
    public int Count;
    public int HeadDimension;
    public int Stride;
}

/// <summary>
/// A few heads and blocks of 16 tokens of a plane (<see cref="NibbleLayout"/>), a pointer for each block:
/// scores[h Stride + 16 b + t] = Scales[h] TokenScales[b][t] (16 sum of high codes + sum of low codes + Offsets[h]).
/// </summary>
internal unsafe struct PlaneTile
{
    public byte** High;

    /// <summary>Null where the high bits are enough.</summary>
    public byte** Low;

    /// <summary>High blocks that will be read next, fetched meanwhile; never null.</summary>
    public byte** Ahead;
    public float** TokenScales;

    /// <summary>[heads, steps, 8].</summary>
    public sbyte* Codes;
    public float* Scales;
    public float* Offsets;
    public float* Scores;
    public long Stride;
    public int BlockCount;
    public int StepCount;
    public int HeadCount;
}
