using System.Collections.Concurrent;
using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>A setting that goes out in waves, as an image does: a device has done it when what it tells of its settings says so.</summary>
internal sealed class SettingsSteps(Ground ground)
{
    public const string Name = "settings";

    private const string Setting = "Network.SSDP.Enabled";
    private const string Value = "no";
    private const string Filter = $"settings.{Setting}=\"{Value}\"";

    /// <summary>What keeps one keeps most of them.</summary>
    private const int ExplainedMax = 3;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("Settings");
        var change = new Rollout { Settings = { new Setting { Name = Setting, Value = Value } } };
        var rollout = await new RolloutRun(ground).RunAsync("demo-settings", change, ("set", Filter), cancellationToken);
        if (rollout.State != RolloutState.Succeeded)
        {
            await ExplainAsync(rollout, cancellationToken);
        }

        ground.Findings.Require(Name, $"rollout of {Setting} succeeded", 1, rollout.State == RolloutState.Succeeded ? 1 : 0);
        ground.Findings.Require(
            Name, "confirmed by what devices told then", ground.Devices, rollout.WaveStatus.Sum(wave => wave.Succeeded));
        ground.Tally.Configured = await ground.CountAsync(Name, $"with {Setting}={Value}", Filter, ground.Devices, cancellationToken);
        await ground.CompareAsync(
            Name, "set once", ground.Tally.Configured, story => story.SettingsApplied == 1, cancellationToken);
    }

    /// <summary>
    /// Of a rollout that did not come to its end: why some devices have not. One that said to have done it, and tells another value, is the
    /// fault that can be asked for.
    /// </summary>
    private async Task ExplainAsync(Rollout rollout, CancellationToken cancellationToken)
    {
        var (open, lying) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        await Pace.ForEachAsync(
            ground.Serials,
            async (serial, cancel) =>
            {
                var request = new ExplainDeviceRequest { Name = rollout.Name, Device = $"{Ground.Parent}/devices/{serial}" };
                var explained = await AskAsync(request, cancel);
                if (explained is null)
                {
                    open.Add($"{serial}: nobody could be asked");
                }
                else if (explained.Reason == "SETTINGS_DIFFER")
                {
                    lying.Add(serial);
                }
                else if (explained.State != MemberState.Succeeded)
                {
                    open.Add($"{serial}: {explained.Text}");
                }
            },
            cancellationToken);
        if (!lying.IsEmpty)
        {
            throw new DemoFaultException($"they said that they have set {Setting}, and tell another value: {string.Join(", ", lying)}")
            {
                Check = BreakStep.LyingSettings,
            };
        }

        foreach (var text in open.Order(StringComparer.Ordinal).Take(ExplainedMax))
        {
            ground.Stage.Tell(text);
        }
    }

    /// <summary>Where the patience ran out the fleet may be ill: that is what is to be told then, and not that it cannot say why.</summary>
    private async Task<DeviceExplanation?> AskAsync(ExplainDeviceRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await ground.Requester.Rollouts.ExplainDeviceAsync(request, cancellationToken: cancellationToken);
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
