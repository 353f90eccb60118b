using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kernels.Cpu.SparseAttention;

// Keys and values read as they are stored, each row once for up to four query rows.
internal readonly unsafe partial struct AttentionKernels<TSimd, V, TDot, I>
{
    private const int SharedRows = 4, LineBytes = 64;

    public static void ScoreKeys<TFormat>(byte** keys, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat
    {
        int row = 0;
        for (; row + SharedRows <= rows.Count; row += SharedRows)
        {
            for (int key = 0; key < keyCount; key += 2)
                ScoreFourRows<TFormat>(keys[key], keys[key + 1], rows, row, key);
        }
        for (; row < rows.Count; row++)
        {
            for (int key = 0; key < keyCount; key += SharedRows)
                ScoreOneRow<TFormat>(keys + key, rows, row, key);
        }
        if (rows.HeadDimension % TSimd.Count != 0)
            AddRestOfDimensions<TFormat>(keys, keyCount, rows);
    }

    // Dimensions that fill no register. A method of its own: a call within the loops above would cost them their registers.
    private static void AddRestOfDimensions<TFormat>(byte** keys, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat
    {
        int first = rows.HeadDimension / TSimd.Count * TSimd.Count;
        for (int row = 0; row < rows.Count; row++)
        {
            float* query = rows.Queries + (long)row * rows.Stride, scores = rows.Scores + row * AttentionTuning.Tile;
            for (int key = 0; key < keyCount; key++)
            {
                for (int i = first; i < rows.HeadDimension; i++)
                    scores[key] = MathF.FusedMultiplyAdd(query[i], TFormat.LoadOne(keys[key] + i * TFormat.ElementBytes), scores[key]);
            }
        }
    }

    // Each sum is taken in the order of the dimensions in one register, so that a score does not tell which form computed it.
    [MethodImpl(Hot)]
    private static void ScoreFourRows<TFormat>(byte* key0, byte* key1, in StreamedRows rows, int row, int key) where TFormat : struct, IKeyValueFormat
    {
        nuint width = (nuint)TSimd.Count, d = (nuint)rows.HeadDimension, i = 0;
        float* q0 = rows.Queries + (long)row * rows.Stride, q1 = q0 + rows.Stride, q2 = q1 + rows.Stride, q3 = q2 + rows.Stride;
        V s00 = TSimd.Broadcast(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        Fetch(rows.Ahead[key], (int)d * TFormat.ElementBytes);
        Fetch(rows.Ahead[key + 1], (int)d * TFormat.ElementBytes);
        for (; i + width <= d; i += width)
        {
            V k0 = KeyValueLanes<TFormat>.Load<V>(key0 + i * (nuint)TFormat.ElementBytes),
                k1 = KeyValueLanes<TFormat>.Load<V>(key1 + i * (nuint)TFormat.ElementBytes);
            V q = TSimd.Load(ref *q0, i);
            s00 = TSimd.MultiplyAdd(q, k0, s00);
            s01 = TSimd.MultiplyAdd(q, k1, s01);
            q = TSimd.Load(ref *q1, i);
            s10 = TSimd.MultiplyAdd(q, k0, s10);
            s11 = TSimd.MultiplyAdd(q, k1, s11);
            q = TSimd.Load(ref *q2, i);
            s20 = TSimd.MultiplyAdd(q, k0, s20);
            s21 = TSimd.MultiplyAdd(q, k1, s21);
            q = TSimd.Load(ref *q3, i);
            s30 = TSimd.MultiplyAdd(q, k0, s30);
            s31 = TSimd.MultiplyAdd(q, k1, s31);
        }
        float* scores = rows.Scores + row * AttentionTuning.Tile + key;
        (scores[0], scores[1]) = (Sum(s00), Sum(s01));
        scores += AttentionTuning.Tile;
        (scores[0], scores[1]) = (Sum(s10), Sum(s11));
        scores += AttentionTuning.Tile;
        (scores[0], scores[1]) = (Sum(s20), Sum(s21));
        scores += AttentionTuning.Tile;
        (scores[0], scores[1]) = (Sum(s30), Sum(s31));
    }

    [MethodImpl(Hot)]
    private static void ScoreOneRow<TFormat>(byte** keys, in StreamedRows rows, int row, int key) where TFormat : struct, IKeyValueFormat
    {
        nuint width = (nuint)TSimd.Count, d = (nuint)rows.HeadDimension, i = 0;
        float* query = rows.Queries + (long)row * rows.Stride;
        byte* key0 = keys[0], key1 = keys[1], key2 = keys[2], key3 = keys[3];
        V s0 = TSimd.Broadcast(0), s1 = s0, s2 = s0, s3 = s0;
        for (int ahead = 0; row == 0 && ahead < SharedRows; ahead++)
            Fetch(rows.Ahead[key + ahead], (int)d * TFormat.ElementBytes);
        for (; i + width <= d; i += width)
        {
            V q = TSimd.Load(ref *query, i);
            nuint at = i * (nuint)TFormat.ElementBytes;
            s0 = TSimd.MultiplyAdd(q, KeyValueLanes<TFormat>.Load<V>(key0 + at), s0);
            s1 = TSimd.MultiplyAdd(q, KeyValueLanes<TFormat>.Load<V>(key1 + at), s1);
            s2 = TSimd.MultiplyAdd(q, KeyValueLanes<TFormat>.Load<V>(key2 + at), s2);
            s3 = TSimd.MultiplyAdd(q, KeyValueLanes<TFormat>.Load<V>(key3 + at), s3);
        }
        float* scores = rows.Scores + row * AttentionTuning.Tile + key;
        (scores[0], scores[1], scores[2], scores[3]) = (Sum(s0), Sum(s1), Sum(s2), Sum(s3));
    }

    public static void AddValues<TFormat>(byte** values, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat
    {
        int row = 0, pair = 2 * TSimd.Count, paired = rows.HeadDimension / pair * pair;
        for (; row + SharedRows <= rows.Count; row += SharedRows)
        {
            for (int column = 0; column < paired; column += pair)
                AddToFourRows<TFormat>(values, keyCount, rows, row, column);
        }
        for (int single = row; single < rows.Count; single++)
        {
            for (int column = 0; column < paired; column += pair)
                AddToOneRow<TFormat>(values, keyCount, rows, single, column);
        }
        for (int column = paired; column < rows.HeadDimension; column += TSimd.Count)
        {
            for (int any = 0; any < rows.Count; any++)
                AddRest<TFormat>(values, keyCount, rows, any, column);
        }
    }

    [MethodImpl(Hot)]
    private static void AddToFourRows<TFormat>(byte** values, int keyCount, in StreamedRows rows, int row, int column) where TFormat : struct, IKeyValueFormat
    {
        nuint width = (nuint)TSimd.Count, left = (nuint)(column * TFormat.ElementBytes), right = left + width * (nuint)TFormat.ElementBytes;
        float* p0 = rows.Scores + row * AttentionTuning.Tile, p1 = p0 + AttentionTuning.Tile, p2 = p1 + AttentionTuning.Tile, p3 = p2 + AttentionTuning.Tile;
        V s00 = TSimd.Broadcast(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        for (int key = 0; key < keyCount; key++)
        {
            byte* value = values[key];
            FetchLine(rows.Ahead[key] + left);
            if (TFormat.ElementBytes * 2 * TSimd.Count > LineBytes)
                FetchLine(rows.Ahead[key] + right);
            V v0 = KeyValueLanes<TFormat>.Load<V>(value + left), v1 = KeyValueLanes<TFormat>.Load<V>(value + right);
            V p = TSimd.Broadcast(p0[key]);
            s00 = TSimd.MultiplyAdd(p, v0, s00);
            s01 = TSimd.MultiplyAdd(p, v1, s01);
            p = TSimd.Broadcast(p1[key]);
            s10 = TSimd.MultiplyAdd(p, v0, s10);
            s11 = TSimd.MultiplyAdd(p, v1, s11);
            p = TSimd.Broadcast(p2[key]);
            s20 = TSimd.MultiplyAdd(p, v0, s20);
            s21 = TSimd.MultiplyAdd(p, v1, s21);
            p = TSimd.Broadcast(p3[key]);
            s30 = TSimd.MultiplyAdd(p, v0, s30);
            s31 = TSimd.MultiplyAdd(p, v1, s31);
        }
        float* output = rows.Output + (long)row * rows.Stride + column;
        AddTo(output, s00, s01);
        AddTo(output + rows.Stride, s10, s11);
        AddTo(output + 2 * rows.Stride, s20, s21);
        AddTo(output + 3 * rows.Stride, s30, s31);
    }

    [MethodImpl(Hot)]
    private static void AddToOneRow<TFormat>(byte** values, int keyCount, in StreamedRows rows, int row, int column) where TFormat : struct, IKeyValueFormat
    {
        nuint width = (nuint)TSimd.Count, left = (nuint)(column * TFormat.ElementBytes), right = left + width * (nuint)TFormat.ElementBytes;
        float* weights = rows.Scores + row * AttentionTuning.Tile;
        V s0 = TSimd.Broadcast(0), s1 = s0;
        for (int key = 0; key < keyCount; key++)
        {
            V p = TSimd.Broadcast(weights[key]);
            FetchLine(rows.Ahead[key] + left);
            if (TFormat.ElementBytes * 2 * TSimd.Count > LineBytes)
                FetchLine(rows.Ahead[key] + right);
            s0 = TSimd.MultiplyAdd(p, KeyValueLanes<TFormat>.Load<V>(values[key] + left), s0);
            s1 = TSimd.MultiplyAdd(p, KeyValueLanes<TFormat>.Load<V>(values[key] + right), s1);
        }
        AddTo(rows.Output + (long)row * rows.Stride + column, s0, s1);
    }

    [MethodImpl(Hot)]
    private static void AddRest<TFormat>(byte** values, int keyCount, in StreamedRows rows, int row, int column) where TFormat : struct, IKeyValueFormat
    {
        int count = Math.Min(TSimd.Count, rows.HeadDimension - column), offset = column * TFormat.ElementBytes;
        float* weights = rows.Scores + row * AttentionTuning.Tile, output = rows.Output + (long)row * rows.Stride + column;
        V sum = TSimd.Broadcast(0);
        for (int key = 0; key < keyCount; key++)
        {
            V value = count == TSimd.Count ? KeyValueLanes<TFormat>.Load<V>(values[key] + offset)
                : KeyValueLanes<TFormat>.LoadFirst<V>(values[key] + offset, count);
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(weights[key]), value, sum);
        }
        TSimd.Store(TSimd.Add(TSimd.Load(ref *output, 0), sum), ref *output, 0);
    }

    [MethodImpl(Inline)]
    private static void AddTo(float* output, V left, V right)
    {
        nuint width = (nuint)TSimd.Count;
        TSimd.Store(TSimd.Add(TSimd.Load(ref *output, 0), left), ref *output, 0);
        TSimd.Store(TSimd.Add(TSimd.Load(ref *output, width), right), ref *output, width);
    }

    // Into level 2: a tile of keys and one of values together may be as large as level 1.
    [MethodImpl(Inline)]
    private static void FetchLine(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }

    [MethodImpl(Inline)]
    private static void Fetch(byte* row, int bytes)
    {
        for (int offset = 0; offset < bytes; offset += LineBytes)
            FetchLine(row + offset);
    }

    // Halves are added until one element is left.
    [MethodImpl(Inline)]
    private static float Sum(V value) =>
        typeof(V) == typeof(Vector512<float>) ? Sum(Unsafe.BitCast<V, Vector512<float>>(value).GetLower() + Unsafe.BitCast<V, Vector512<float>>(value)
        .GetUpper()) :
        typeof(V) == typeof(Vector256<float>) ? Sum(Unsafe.BitCast<V, Vector256<float>>(value)) :
        typeof(V) == typeof(Vector128<float>) ? Vector128.Sum(Unsafe.BitCast<V, Vector128<float>>(value)) :
        Unsafe.BitCast<V, float>(value);

    [MethodImpl(Inline)]
    private static float Sum(Vector256<float> value) => Vector128.Sum(value.GetLower() + value.GetUpper());
}
