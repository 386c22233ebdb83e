using Microsoft.Extensions.Logging;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

internal sealed partial class DeviceGrain
{
    /// <summary>Changes of state at Information; what messages and rollouts of a whole fleet say at Debug: the feed has it.</summary>
    private void LogFacts(ImmutableArray<DomainEvent> facts, Actor actor)
    {
        foreach (var fact in facts)
        {
            if (fact is DeviceHelloTaken or DeviceInventoryTaken or ComplianceChanged or LateReportIgnored
                or ChangeOffered or ChangeDelivered or ChangeProgressed or ChangeClosed or ChangeRecalled or ChangeRecallRefused)
            {
                LogTaken(_id.Value, fact.GetType().Name);
            }
            else
            {
                LogChanged(_id.Value, fact.GetType().Name, actor);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Device {DeviceId}: {Fact} by {Actor}")]
    private partial void LogChanged(string deviceId, string fact, Actor actor);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Device {DeviceId}: {Fact}")]
    private partial void LogTaken(string deviceId, string fact);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Device {DeviceId}: session {Epoch} on {GatewayId}")]
    private partial void LogAdmitted(string deviceId, long epoch, string gatewayId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Device {DeviceId}: refused, {Reason}, by {Actor}")]
    private partial void LogRefused(string deviceId, string reason, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Device {DeviceId}: session on {GatewayId} refused, {Reason}")]
    private partial void LogAdmissionRefused(string deviceId, string reason, string gatewayId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Device {DeviceId}: {Kind} refused, {Reason}")]
    private partial void LogMessageRefused(string deviceId, UpKind kind, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device {DeviceId}: an offer of rollout {RolloutId} with epoch {Epoch} is void")]
    private partial void LogFenced(string deviceId, string rolloutId, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device {DeviceId}: the refusal {Reason} is not on record")]
    private partial void LogRefusalLost(Exception fault, string deviceId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device {DeviceId}: {Message} was not handed over")]
    private partial void LogPushFailed(Exception fault, string deviceId, string message);
}
