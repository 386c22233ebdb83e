using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Warranty;

/// <summary>A device's warranty and the review that its end opened.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-cover")]
public sealed record WarrantyCover
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required DeviceId Device { get; init; }

    [Id(2)] public WarrantyTerm Term { get; init; } = WarrantyTerm.None;

    /// <summary>The last covered day whose end was told as a fact; null before the first.</summary>
    [Id(3)] public DateOnly? EndedOn { get; init; }

    [Id(4)] public WarrantyReviewState Review { get; init; }

    /// <summary>When the review opened or closed; null before the first.</summary>
    [Id(5)] public DateTimeOffset? ReviewChangedAt { get; init; }

    /// <summary>The review proposes decommissioning, and the decommissioning does not know yet.</summary>
    [Id(6)] public bool ProposalPending { get; init; }

    /// <summary>When the pending proposal is to be handed on.</summary>
    [Id(7)] public DateTimeOffset? ProposalDueAt { get; init; }

    /// <summary>
    /// The request id of the creation that brought the term (AIP-155); empty when an operator set it since, or nothing did. A creation
    /// writes the warranty before the device, so that there never is a device without one.
    /// </summary>
    [Id(8)] public string ExpectedBy { get; init; } = "";

    /// <summary>When that creation brought the term; null with <see cref="ExpectedBy"/> empty.</summary>
    [Id(9)] public DateTimeOffset? ExpectedAt { get; init; }

    /// <summary>Names the review towards the decommissioning: a second review of the same end proposes nothing new.</summary>
    public string Campaign => string.Create(CultureInfo.InvariantCulture, $"warranty:{EndedOn:yyyyMMdd}");

    /// <summary>The warranty of a device before anything was said about it.</summary>
    public static WarrantyCover Empty(TenantId tenant, DeviceId device) => new() { Tenant = tenant, Device = device };
}
