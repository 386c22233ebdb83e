using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Domain.Trust;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Devices;

/// <summary>
/// What is suspected of a device. The device's own grain answers, with the same key as <see cref="IDeviceGrain"/>.
/// </summary>
[GrainInterfaceType("muster.device-trust"), Alias("muster.IDeviceTrustGrain"), Version(1)]
public interface IDeviceTrustGrain : IGrainWithStringKey
{
    /// <summary>
    /// Somebody saw that the identity may be used twice. What follows is the tenant's rule; a suspicion that is known already, or about a
    /// pair that an operator has dismissed, changes nothing, nor does one of a device that is neither in service nor in quarantine.
    /// </summary>
    [Alias("Suspect"), ResponseTimeout(CallTimeouts.Commit)]
    Task SuspectAsync(SuspectClone command);

    /// <summary>An operator confirms or dismisses. <see cref="DeviceReply.IsUnchanged"/> says that there was nothing to do.</summary>
    [Alias("Resolve"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> ResolveAsync(ResolveSuspicion command);
}

/// <summary>Raises a suspicion.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Detail">For people, at most 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.suspect-clone")]
public sealed record SuspectClone([property: Id(0)] SuspicionKind Kind, [property: Id(1)] string Detail)
{
    /// <summary>What was presented (<see cref="SuspectedPair"/>); null where it is about no key, and from an older silo.</summary>
    [Id(164)] public Sha256Hash? Pair { get; init; }
}

/// <summary>An operator's answer to a suspicion.</summary>
/// <param name="Actor">Who.</param>
/// <param name="IsConfirmed">True to quarantine the device by his order; false to let it go on.</param>
/// <param name="Cause">In words, 1 to 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.resolve-suspicion")]
public sealed record ResolveSuspicion(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] bool IsConfirmed,
    [property: Id(2)] string Cause);
