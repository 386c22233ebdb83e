using System.Text.Json;

namespace Muster.Simulator.Demo;

/// <summary>What a run counted; every count is the API's, and what the fleet's own log says of it is compared, not counted.</summary>
internal sealed class Tally
{
    private static readonly JsonSerializerOptions Form = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public int Devices { get; init; }

    public long Enrolled { get; set; }

    /// <summary>Devices that must not enrol and did not.</summary>
    public long Refused { get; set; }

    public long Updated { get; set; }

    public long BootConfirmed { get; set; }

    public long Compliant { get; set; }

    /// <summary>Devices with the setting that was rolled out.</summary>
    public long Configured { get; set; }

    public long Decommissioned { get; set; }

    /// <summary>Decommissioned by the API and not connected, while their own log tells of the refusal.</summary>
    public long TombstoneRefused { get; set; }

    public double Seconds { get; set; }

    public int Violations { get; set; }

    /// <summary>One line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Form);
}
