namespace Kernels.Perf;

/// <summary>
/// oneDNN's integer matmul into int32, on weights reordered into the layout it asks for: the product alone, without quantisation and dequantisation. With
/// unsigned activations up to 127 it is right on every machine; with signed ones it shifts them to 0..255, and on machines with AVX2 alone its sums of two
/// products then saturate 16 bits (ONEDNN_MAX_CPU_ISA=AVX2 shows it elsewhere).
/// </summary>
internal sealed unsafe class OneDnnInt8 : IDisposable
{
    private const string UnsignedIdentity = "rival/onednn-u8s8", SignedIdentity = "rival/onednn-s8s8";

    private readonly Int8Buffers _buffers;
    private readonly bool _isSigned;
    private readonly NativeBuffer<byte> _activations;
    private readonly NativeBuffer<int> _products;
    private readonly OneDnnProduct _product;

    private OneDnnInt8(Int8Buffers buffers, int threads, bool isSigned)
    {
        (_buffers, _isSigned) = (buffers, isSigned);
        Int8Case shape = buffers.Case;
        _activations = new NativeBuffer<byte>(shape.RowCount * shape.InputCount);
        _products = new NativeBuffer<int>(shape.RowCount * shape.OutputCount);
        FillActivations();
        var activations = new OneDnnMatrix(isSigned ? OneDnn.SByteType : OneDnn.ByteType, _activations.Pointer);
        fixed (sbyte* weights = buffers.Weights.Values)
        {
            _product = new OneDnnProduct(
                (shape.RowCount, shape.InputCount, shape.OutputCount), threads, activations, new(OneDnn.SByteType, weights),
                new(OneDnn.Int32Type, _products.Pointer));
        }
    }

    public static IReadOnlyList<RivalStatus> Statuses =>
    [
        OneDnn.Status(UnsignedIdentity, "integer product alone", OneDnnProduct.OperandsOf(OneDnn.ByteType)),
        OneDnn.Status(SignedIdentity, "integer product alone", OneDnnProduct.OperandsOf(OneDnn.SByteType)),
    ];

    /// <summary>The restricted product, which must be right, and the signed one, whose error is only shown: the largest difference of an int32 sum.</summary>
    public static IContender Open(Int8Buffers buffers, int threads, bool isSigned)
    {
        var session = new OneDnnInt8(buffers, threads, isSigned);
        return new CallContender(
            isSigned ? SignedIdentity : UnsignedIdentity, threads, session._product.BufferCount, isSigned ? double.PositiveInfinity : 0, session._product.Call,
            session.LargestError, session.Dispose);
    }

    public void Dispose()
    {
        _product.Dispose();
        _activations.Dispose();
        _products.Dispose();
    }

    private void FillActivations()
    {
        var random = new Random(1);
        foreach (ref byte activation in _activations.Span)
            activation = (byte)(sbyte)random.Next(_isSigned ? sbyte.MinValue : 0, sbyte.MaxValue + 1);
    }

    // The first row: all rows go through the same code.
    private double LargestError()
    {
        Int8Case shape = _buffers.Case;
        long largest = 0;
        for (int output = 0; output < shape.OutputCount; output++)
        {
            long sum = 0;
            for (int input = 0; input < shape.InputCount; input++)
                sum += (_isSigned ? (sbyte)_activations.Span[input] : _activations.Span[input]) * _buffers.Weights.Values[output * shape.InputCount + input];
            largest = Math.Max(largest, Math.Abs(_products.Span[output] - sum));
        }
        return largest;
    }
}
