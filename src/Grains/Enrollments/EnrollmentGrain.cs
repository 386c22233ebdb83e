using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Enrollments;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;

namespace Muster.Grains.Enrollments;

/// <summary>The request of one device that nobody expects: the rules are <see cref="EnrollmentRequestRules"/>.</summary>
[GrainType(GrainTypes.Enrollment)]
internal sealed partial class EnrollmentGrain : Grain, IEnrollmentGrain, IDueGrain
{
    private static readonly Actor Rule = Actor.Rule("enrollments");

    private readonly IPersistentState<EnrollmentRecord> _record;
    private readonly StateWriter<EnrollmentRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<EnrollmentGrain> _logger;
    private readonly TenantId _tenant;
    private readonly DeviceId _device;

    public EnrollmentGrain(
        [PersistentState("enrollment", StorageNames.Muster)] IPersistentState<EnrollmentRecord> record,
        TimeProvider clock,
        ILogger<EnrollmentGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<EnrollmentRecord>(record, this);
        _clock = clock;
        _logger = logger;
        (_tenant, _device) = DeviceKey.Parse(this.GetPrimaryKeyString());
    }

    private EnrollmentRequest? Current => _record.State.Request;

    private IEnrollmentQueueGrain Queue => GrainFactory.GetEnrollmentQueue(_tenant);

    public Task<FleetError?> CheckAsync() => Task.FromResult(EnrollmentRequestRules.Check(Current, _clock.GetUtcNow()));

    public async Task<FleetError> ApplyAsync(EnrollmentEvidence evidence)
    {
        var now = _clock.GetUtcNow();
        if (EnrollmentRequestRules.NeedsPlace(Current, now)
            && await Queue.TakeAsync(_device, now + EnrollmentRequestRules.TimeToLive) is { } full)
        {
            LogRefused(_device.Value, full.Reason);
            return full;
        }

        var reply = await CommitAsync(
            EnrollmentRequestRules.Apply(Current, _tenant, evidence, now), Actor.Device(_device.Value), now);
        return EnrollmentRequestRules.Check(reply.Request, now) ?? EnrollmentRequestErrors.Waits(_device);
    }

    public Task<EnrollmentReply> GetAsync() => Task.FromResult(Current is { } request ? new EnrollmentReply(request, null) : NotFound());

    public Task<EnrollmentReply> ApproveAsync(Actor actor, Sha256Hash certificateSha256) =>
        DecideAsync(actor, (request, now) => EnrollmentRequestRules.Approve(request, actor, certificateSha256, now));

    public Task<EnrollmentReply> DenyAsync(Actor actor, string reason) =>
        DecideAsync(actor, (request, now) => EnrollmentRequestRules.Deny(request, actor, reason, now));

    public Task OnDueAsync(CancellationToken cancellationToken) => DecideAsync(Rule, EnrollmentRequestRules.Look);

    private async Task<EnrollmentReply> DecideAsync(
        Actor actor, Func<EnrollmentRequest, DateTimeOffset, Decision<EnrollmentRequest>> decide)
    {
        if (Current is not { } request)
        {
            return NotFound();
        }

        var now = _clock.GetUtcNow();
        var reply = await CommitAsync(decide(request, now)!, actor, now);
        if (request.State == EnrollmentRequestState.Waiting && Current!.State != EnrollmentRequestState.Waiting)
        {
            await Queue.ReleaseAsync(_device);
        }

        return reply;
    }

    private async Task<EnrollmentReply> CommitAsync(Decision<EnrollmentRequest?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Request = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
            LogChanged(_device.Value, decision.Events[0].GetType().Name, actor);
        }

        return decision.Error is { } error ? new EnrollmentReply(null, error) : new EnrollmentReply(decision.Next, null);
    }

    private EnrollmentReply NotFound() => new(null, EnrollmentRequestErrors.NotFound(_device));

    [LoggerMessage(Level = LogLevel.Information, Message = "Enrolment request of {DeviceId}: {Fact} by {Actor}")]
    private partial void LogChanged(string deviceId, string fact, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Enrolment request of {DeviceId}: refused, {Reason}")]
    private partial void LogRefused(string deviceId, string reason);
}
