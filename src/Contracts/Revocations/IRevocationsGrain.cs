using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Revocations;

/// <summary>
/// What gateways have to know of a partition to close what is open: whose right to be connected may have ended. Any partition's grain
/// answers for its whole silo, so that a gateway asks every silo instead of every partition. Key: the partition's number.
/// </summary>
[GrainInterfaceType("muster.revocations"), Alias("muster.IRevocationsGrain"), Version(1)]
public interface IRevocationsGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// What the silo of this partition has read of all its partitions, and the revocations behind the caller's cursor for that silo.
    /// Answered from memory. Interleaves: it reads what is shared by the silo's partitions and nothing of the grain.
    /// </summary>
    [Alias("Watch"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Watch)]
    Task<RevocationReply> WatchAsync(ImmutableArray<RevocationCursor> cursors);

    /// <summary>
    /// For a gateway whose partition moved, or who missed something: revocations behind a position, from the store, whose entry at that
    /// position is compared first. Interleaves: it touches nothing of the grain.
    /// </summary>
    [Alias("ReadSince"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Commit)]
    Task<RevocationPage> ReadSinceAsync(FeedPosition after);
}

/// <summary>Asks one device whether an identity that is connected may stay so. Key: <c>tenant/device</c>.</summary>
[GrainInterfaceType("muster.device-access"), Alias("muster.IDeviceAccessGrain"), Version(1)]
public interface IDeviceAccessGrain : IGrainWithStringKey
{
    /// <summary>As at its admission. Does not interleave: the commit that the question is about has ended before it is answered.</summary>
    [Alias("Check"), ResponseTimeout(CallTimeouts.Commit)]
    Task<AccessReply> CheckAsync(Muster.Domain.Identity.DeviceIdentity identity);
}

/// <summary>Up to where a gateway was told a silo's revocations.</summary>
/// <param name="Silo">Random per start of the silo.</param>
/// <param name="Sequence">Of the newest that it has.</param>
[GenerateSerializer, Immutable, Alias("muster.revocation-cursor")]
public readonly record struct RevocationCursor([property: Id(0)] Guid Silo, [property: Id(1)] long Sequence);

/// <summary>A device whose connections have to be looked at, or an image that is not sent any more.</summary>
/// <param name="Tenant">Its tenant.</param>
/// <param name="Device">The device; none when it is about an image.</param>
/// <param name="Effect">Whether they end, or its grain has to be asked.</param>
[GenerateSerializer, Immutable, Alias("muster.revocation")]
public readonly record struct Revocation(
    [property: Id(0)] TenantId Tenant, [property: Id(1)] DeviceId Device, [property: Id(2)] RevocationEffect Effect)
{
    /// <summary>The image that was revoked; null when it is about a device.</summary>
    [Id(3)] public ImageDigest? Image { get; init; }

    /// <summary>An image was revoked: a gateway of an older version, which looks at devices only, finds none.</summary>
    public static Revocation OfImage(TenantId tenant, ImageDigest image) =>
        new(tenant, default, RevocationEffect.EndImage) { Image = image };
}

/// <summary>How far a silo has read one partition.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Tail">Random; another one when something may have been passed over: what lies between is to be read by position.</param>
/// <param name="Position">All revocations up to here are in this answer or in an earlier one.</param>
/// <param name="Age">
/// How long ago the store was asked and had nothing that is not read. Whoever asks adds the time that the answer took.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.watched-tail")]
public readonly record struct WatchedTail(
    [property: Id(0)] int Partition,
    [property: Id(1)] Guid Tail,
    [property: Id(2)] FeedPosition Position,
    [property: Id(3)] TimeSpan Age);

/// <summary>What a silo tells.</summary>
/// <param name="Cursor">The cursor for the next question.</param>
/// <param name="From">The cursor of this question; null when it had none for this silo.</param>
/// <param name="IsContinuous">False when revocations behind <paramref name="From"/> are forgotten: positions have to be read.</param>
/// <param name="Revocations">Those behind <paramref name="From"/>, oldest first.</param>
/// <param name="Tails">All partitions that the silo has.</param>
[GenerateSerializer, Immutable, Alias("muster.revocation-reply")]
public sealed record RevocationReply(
    [property: Id(0)] RevocationCursor Cursor,
    [property: Id(1)] long? From,
    [property: Id(2)] bool IsContinuous,
    [property: Id(3)] ImmutableArray<Revocation> Revocations,
    [property: Id(4)] ImmutableArray<WatchedTail> Tails);

/// <summary>A part of a partition's feed.</summary>
/// <param name="Continuity">Anything but <see cref="FeedContinuity.Follows"/>: nobody can say what was missed.</param>
/// <param name="Revocations">In the feed's order.</param>
/// <param name="Next">Where to go on.</param>
/// <param name="IsAtEnd">True when there was nothing behind <paramref name="Next"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.revocation-page")]
public sealed record RevocationPage(
    [property: Id(0)] FeedContinuity Continuity,
    [property: Id(1)] ImmutableArray<Revocation> Revocations,
    [property: Id(2)] FeedPosition Next,
    [property: Id(3)] bool IsAtEnd);

/// <summary>Whether an identity may stay connected.</summary>
/// <param name="Error">Why not; null when it may.</param>
/// <param name="AcceptedUntil">Until when, as the record is; null for as long as it stays so.</param>
[GenerateSerializer, Immutable, Alias("muster.access-reply")]
public sealed record AccessReply([property: Id(0)] FleetError? Error, [property: Id(1)] DateTimeOffset? AcceptedUntil);

/// <summary>The only place where partitions and devices become keys of these grains.</summary>
public static class RevocationGrainFactoryExtensions
{
    public static IRevocationsGrain GetRevocations(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IRevocationsGrain>(partition);
    }

    public static IDeviceAccessGrain GetDeviceAccess(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeviceAccessGrain>(Devices.DeviceKey.Of(tenant, device));
    }
}
