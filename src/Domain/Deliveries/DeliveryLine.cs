using Muster.Domain.Devices;
using Muster.Domain.Warranty;

namespace Muster.Domain.Deliveries;

/// <summary>One device of a list, as it is written there: a value for each column, empty for none.</summary>
public readonly struct DeliveryLine
{
    private readonly ImmutableArray<string> _values;

    private DeliveryLine(ImmutableArray<string> values) => _values = values;

    /// <summary>A line without any value.</summary>
    public static DeliveryLine Empty { get; } = new([.. DeliveryColumns.Names.Select(_ => "")]);

    public string this[DeliveryColumn column] => _values[(int)column];

    public DeliveryLine With(DeliveryColumn column, string value) => new(_values.SetItem((int)column, value));

    /// <summary>Takes one value for each of the columns, and the defaults for what is empty or has no column.</summary>
    public static DeliveryLine Of(ReadOnlySpan<DeliveryColumn> columns, ReadOnlySpan<string> values, DeliveryLine defaults)
    {
        var line = defaults._values.ToArray();
        for (var i = 0; i < columns.Length; i++)
        {
            if (values[i].Length > 0)
            {
                line[(int)columns[i]] = values[i];
            }
        }

        return new DeliveryLine(System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(line));
    }
}

/// <summary>A device that a list names, read and found in order.</summary>
/// <param name="Device">Its id: the serial in its profile's canonical form.</param>
/// <param name="Spec">What is expected of it.</param>
/// <param name="Warranty">0 months for none.</param>
/// <param name="CertificateSha256">64 lower-case hex digits; null for any certificate of the device.</param>
public sealed record DeliveredDevice(DeviceId Device, ExpectedDevice Spec, WarrantyTerm Warranty, string? CertificateSha256);

/// <summary>What is wrong with a line.</summary>
/// <param name="Field">The column; empty for the line as a whole.</param>
/// <param name="Rule">What it has to be.</param>
public readonly record struct LineProblem(string Field, string Rule);
