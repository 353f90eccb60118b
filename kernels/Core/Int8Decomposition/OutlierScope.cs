namespace Kernels;

/// <summary>Which activations count as outliers, once an element's magnitude reaches the threshold.</summary>
public enum OutlierScope
{
    /// <summary>That element, in its row alone: a row's result does not depend on the other rows of the call.</summary>
    PerRow,

    /// <summary>
    /// Its whole column, in all rows, as bitsandbytes has it (columns united over the batch): the integers are those of that library, and a row's result
    /// depends on the other rows.
    /// </summary>
    BatchColumns,
}
