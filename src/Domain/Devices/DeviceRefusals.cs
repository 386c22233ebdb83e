using Muster.Domain.Identity;

namespace Muster.Domain.Devices;

/// <summary>Somebody who came as the device was refused: the newest time that was noted for its reason.</summary>
/// <param name="Reason">A name of <c>muster.v1.ErrorReason</c>.</param>
/// <param name="Detail">For people, at most 300 characters.</param>
/// <param name="Certificate">Of the handshake; all zero for whom a broker vouched for.</param>
/// <param name="At">When.</param>
[GenerateSerializer, Immutable, Alias("muster.device-refusal")]
public sealed record DeviceRefusal(
    [property: Id(0)] string Reason,
    [property: Id(1)] string Detail,
    [property: Id(2)] Sha256Hash Certificate,
    [property: Id(3)] DateTimeOffset At)
{
    /// <summary>The longest refusal of an enrolment names two fingerprints.</summary>
    public const int DetailLengthMax = 300;
}

/// <summary>
/// Which refusals stay on record: of an expected device that is not let in, and of a tombstone that comes back. Each is a commit, so each
/// reason counts once in a while: whoever comes again and again writes no more than there are reasons.
/// </summary>
public static class DeviceRefusals
{
    /// <summary>There are fewer reasons to refuse an enrolment; a bound for the record.</summary>
    public const int RefusalsMax = 16;

    /// <summary>
    /// The same reason again within this time is the same attempt: a delivery that is not let in comes back for weeks, all of it, and a
    /// hundred thousand devices are about one commit a second then.
    /// </summary>
    public static readonly TimeSpan NotedEvery = TimeSpan.FromDays(1);

    /// <summary>Whether it is one that stays, and not noted within <see cref="NotedEvery"/>.</summary>
    public static bool IsNews(Device device, FleetError error, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(error);
        if (!Stays(device.State, error))
        {
            return false;
        }

        foreach (var known in device.Refusals.IsDefault ? [] : device.Refusals)
        {
            if (known.Reason == error.Reason)
            {
                return (now - known.At).Duration() >= NotedEvery;
            }
        }

        return true;
    }

    /// <summary>Notes a refusal; unchanged when it is none that stays, or was noted within <see cref="NotedEvery"/>.</summary>
    public static Decision<Device> Note(Device device, FleetError error, Sha256Hash certificate, DateTimeOffset now)
    {
        if (!IsNews(device, error, now))
        {
            return Decision.Unchanged(device);
        }

        var known = device.Refusals.IsDefault ? [] : device.Refusals;
        var detail = error.Message.Length > DeviceRefusal.DetailLengthMax ? error.Message[..DeviceRefusal.DetailLengthMax] : error.Message;
        var refusal = new DeviceRefusal(error.Reason, detail, certificate, now);
        var others = known.Where(one => one.Reason != error.Reason).TakeLast(RefusalsMax - 1);
        return Decision.Accept(device with { Refusals = [.. others, refusal] }, new DeviceRefused(refusal));
    }

    /// <summary>What is not possible now says nothing of who came, nor that he asks for a certificate before his first hello.</summary>
    private static bool Stays(DeviceState state, FleetError error) =>
        state is DeviceState.Expected or DeviceState.Decommissioned
        && error is { Kind: not (ErrorKind.Unavailable or ErrorKind.Exhausted), Reason: not DeviceErrors.NotEnrolledReason };
}
