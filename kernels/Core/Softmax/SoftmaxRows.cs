namespace Kernels.Core.Softmax;

/// <summary>
/// What a backend sees of a <see cref="SoftmaxProblem{T}"/>: pinned pointers and numbers, so that it can cross threads and the C ABI.
/// Null pointers stand for what was not given.
/// </summary>
internal unsafe struct SoftmaxRows<T> where T : unmanaged
{
    public SoftmaxOperation Operation;
    public SoftmaxShape Shape;
    public T* Input;
    public T* Output;
    public T* Mask;
    public bool* BooleanMask;
    public int* RowLengths;
    public long MaskRowStride;
    public long BooleanMaskRowStride;
    public double Scale;
    public double SoftCap;
    public int CausalQueryCount;
    public bool Causal;
    public bool Safe;

    public SoftmaxRows(in SoftmaxProblem<T> problem, T* input, T* output, T* mask, bool* booleanMask, int* rowLengths)
    {
        SoftmaxShape shape = problem.Shape;
        long row = (long)shape.RowLength * shape.InnerCount;
        Operation = problem.Operation;
        Shape = shape;
        Input = input;
        Output = output;
        Mask = mask;
        BooleanMask = booleanMask;
        RowLengths = rowLengths;
        // A mask of one row serves every row: stride 0.
        MaskRowStride = problem.Options.AdditiveMask.Length == row ? 0 : row;
        BooleanMaskRowStride = problem.Options.BooleanMask.Length == row ? 0 : row;
        Scale = problem.Options.Scale;
        SoftCap = problem.Options.SoftCap;
        Causal = problem.Options.Causal;
        CausalQueryCount = problem.Options.CausalQueryCount > 0 ? problem.Options.CausalQueryCount : shape.OuterCount;
        Safe = problem.Options.Safe;
    }

    /// <summary>Whether a logit is exponentiated just as it stands.</summary>
    public readonly bool IsPlain => Scale == 1 && SoftCap == 0 && Mask == null && BooleanMask == null;

    /// <summary>The number of leading positions of a row that take part.</summary>
    public readonly int LengthOf(long row)
    {
        int length = RowLengths == null ? Shape.RowLength : RowLengths[row];
        if (!Causal)
            return length;
        // Query q sees keys 0 .. q + (keys - queries): bottom-right aligned.
        long visible = row % CausalQueryCount + 1 + Shape.RowLength - CausalQueryCount;
        return (int)Math.Clamp(visible, 0, length);
    }
}
