namespace Kernels.Cpu.Simd;

/// <summary>A sum in double whose roundings are summed beside it (Knuth's TwoSum), so that its error does not grow with the number of terms.</summary>
internal struct CompensatedSum
{
    private double _sum, _error;

    public void Add(double term)
    {
        double sum = _sum + term, part = sum - _sum;
        _error += (_sum - (sum - part)) + (term - part);
        _sum = sum;
    }

    public void Multiply(double factor)
    {
        _sum *= factor;
        _error *= factor;
    }

    public readonly double Total => _sum + _error;
}
