using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Enrollments;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;

namespace Muster.Grains.Enrollments;

/// <summary>
/// The places of a tenant's devices that wait (<see cref="EnrollmentPlaces"/>). Its commits have no fact: a place is only a reservation,
/// the request's own commit says what happened.
/// </summary>
[GrainType(GrainTypes.EnrollmentQueue)]
internal sealed class EnrollmentQueueGrain : Grain, IEnrollmentQueueGrain
{
    private readonly IPersistentState<EnrollmentQueueRecord> _record;
    private readonly StateWriter<EnrollmentQueueRecord> _writer;
    private readonly TimeProvider _clock;

    /// <summary>Places taken in the minute that is counted; in memory only, a new activation begins anew.</summary>
    private (long Minute, int Count) _taken;

    public EnrollmentQueueGrain(
        [PersistentState("enrollment-queue", StorageNames.Muster)] IPersistentState<EnrollmentQueueRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<EnrollmentQueueRecord>(record, this);
        _clock = clock;
    }

    public async Task<FleetError?> TakeAsync(DeviceId device, DateTimeOffset until)
    {
        var now = _clock.GetUtcNow();
        var minute = now.UtcTicks / TimeSpan.TicksPerMinute;
        var taken = _taken.Minute == minute ? _taken.Count : 0;
        var (places, error) = EnrollmentPlaces.Take(_record.State.Places, new EnrollmentPlace(device, until), taken, now);
        if (error is null)
        {
            _taken = (minute, taken + 1);
            await CommitAsync(places, Actor.Device(device.Value), now);
        }

        return error;
    }

    public async Task ReleaseAsync(DeviceId device)
    {
        var places = _record.State.Places.RemoveAll(place => place.Device == device);
        if (places.Length < _record.State.Places.Length)
        {
            await CommitAsync(places, Actor.Rule("enrollments"), _clock.GetUtcNow());
        }
    }

    private Task CommitAsync(ImmutableArray<EnrollmentPlace> places, Actor actor, DateTimeOffset now) =>
        _writer.CommitAsync(_record.State with { Places = places }, new CommitAttachments { Actor = actor, At = now });
}
