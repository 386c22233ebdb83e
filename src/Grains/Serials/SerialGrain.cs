using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Serials;

namespace Muster.Grains.Serials;

/// <summary>
/// One serial: the rules are <see cref="SerialRules"/>. A claim is made once in the life of a device, so the activation goes after it: a
/// delivery of a hundred thousand devices leaves none behind. One that only refuses stays, and refuses from memory.
/// </summary>
[GrainType(GrainTypes.Serial)]
internal sealed partial class SerialGrain : Grain, ISerialGrain
{
    private readonly IPersistentState<SerialRecord> _record;
    private readonly StateWriter<SerialRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<SerialGrain> _logger;
    private readonly SerialId _id;

    public SerialGrain(
        [PersistentState("serial", StorageNames.Muster)] IPersistentState<SerialRecord> record,
        TimeProvider clock,
        ILogger<SerialGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<SerialRecord>(record, this);
        (_clock, _logger) = (clock, logger);
        _id = Parse(this.GetPrimaryKeyString());
    }

    private SerialClaims? Current => _record.State.Claims;

    public Task<FleetError?> CheckAsync(TenantId tenant) => Task.FromResult(SerialRules.Check(Current, tenant));

    public async Task<SerialExpected> ExpectAsync(ExpectSerial command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var change = SerialRules.Expect(Current, _id, command.Tenant, command.Unclaimed, now);
        await CommitAsync(change, command.Actor, now);
        DeactivateOnIdle();
        return new SerialExpected(change.Error, SerialRules.Check(Current, command.Tenant));
    }

    public async Task<FleetError?> ClaimAsync(TenantId tenant)
    {
        var now = _clock.GetUtcNow();
        var change = SerialRules.Claim(Current, _id, tenant, now);
        await CommitAsync(change, Actor.Device(_id.Device.Value), now);
        if (change.Error is null)
        {
            DeactivateOnIdle();
        }

        return change.Error;
    }

    public async Task WithdrawAsync(TenantId tenant, Actor actor)
    {
        await CommitAsync(SerialRules.Withdraw(Current, tenant), actor, _clock.GetUtcNow());
        DeactivateOnIdle();
    }

    public Task<SerialReply> GetAsync() => Task.FromResult(Current is { } claims ? new SerialReply(claims, null) : NotFound());

    public async Task<SerialReply> AssignAsync(AssignSerial command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is not { } current)
        {
            return NotFound();
        }

        var now = _clock.GetUtcNow();
        var change = SerialRules.Assign(current, command.Tenant, command.Actor, command.Cause, now);
        await CommitAsync(change, command.Actor, now);
        return change.Error is { } error ? new SerialReply(null, error) : new SerialReply(change.Next, null);
    }

    private async Task CommitAsync(SerialChange change, Actor actor, DateTimeOffset now)
    {
        if (!ReferenceEquals(change.Next, Current))
        {
            await _writer.CommitAsync(
                _record.State with { Claims = change.Next },
                new CommitAttachments { Facts = change.Facts, Actor = actor, At = now });
        }

        foreach (var fact in change.Facts)
        {
            LogChanged(_id.Device.Value, fact.GetType().Name, actor);
        }

        if (change.Error is { } error)
        {
            LogRefused(_id.Device.Value, error.Reason, actor);
        }
    }

    private SerialReply NotFound() => new(null, SerialErrors.NotFound(_id.Device));

    private static SerialId Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return DeviceId.TryParse(key[(slash + 1)..], out var device) && SerialId.Of(device) is var serial && serial.ToString() == key
            ? serial
            : throw new FormatException($"'{key}' is not a key of the form profile/serial.");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serial {DeviceId}: {Fact} by {Actor}")]
    private partial void LogChanged(string deviceId, string fact, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Serial {DeviceId}: refused, {Reason}, to {Actor}")]
    private partial void LogRefused(string deviceId, string reason, Actor actor);
}
