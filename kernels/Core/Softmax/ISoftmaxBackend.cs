namespace Kernels.Core.Softmax;

/// <summary>One implementation of the softmax family for one element type. Arguments were checked at the door and are pinned for the call.</summary>
internal interface ISoftmaxBackend<T> where T : unmanaged
{
    /// <summary>Softmax, log-softmax or log-sum-exp, by <see cref="SoftmaxRows{T}.Operation"/>.</summary>
    void Compute(in SoftmaxRows<T> rows, in KernelOptions options);

    /// <summary>The gradient of a softmax or log-softmax.</summary>
    void Backward(in SoftmaxGradientRows<T> rows, in KernelOptions options);

    /// <summary>
    /// The <paramref name="count"/> largest probabilities of each row, descending, ties by lower index, and where they stand; both outputs are
    /// [rows, count] row-major.
    /// </summary>
    unsafe void TopK(in SoftmaxRows<T> rows, T* values, int* indices, int count, in KernelOptions options);
}
