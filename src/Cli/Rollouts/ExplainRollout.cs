using System.CommandLine;
using Muster.Cli.Devices;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>Why a rollout is where it is: of one device, or of one wave.</summary>
internal static class ExplainRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var device = new Option<string?>("--device")
        {
            Description = "Of this device (id or full name): where it is, what it waits for, how it ended, or why it is no member.",
            HelpName = "DEVICE",
        };
        var wave = new Option<int?>("--wave")
        {
            Description = "Of this wave, from 0: why it started, what it waits for now, and the numbers of its gates.",
            HelpName = "N",
        };
        var command = new Command("explain", "Why a device or a wave of the rollout is where it is.") { rollout, device, wave };
        command.Validators.Add(result =>
        {
            if (result.GetResult(device) is null == result.GetResult(wave) is null)
            {
                result.AddError("Either --device or --wave.");
            }
        });
        return command.Calls((session, parsed, cancellationToken) =>
        {
            var name = RolloutColumns.NameOf(session, parsed, rollout);
            return parsed.GetValue(wave) is { } index
                ? ShowWaveAsync(session, new V1.ExplainWaveRequest { Name = name, Wave = index }, cancellationToken)
                : ShowDeviceAsync(session, name, parsed.GetRequiredValue(device)!, cancellationToken);
        });
    }

    private static async Task ShowDeviceAsync(FleetSession session, string rollout, string device, CancellationToken cancellationToken)
    {
        var request = new V1.ExplainDeviceRequest { Name = rollout, Device = session.NameOf(DeviceColumns.Collection, device) };
        await session.Output.ShowAsync(
            await RolloutColumns.Client(session).ExplainDeviceAsync(request, cancellationToken: cancellationToken));
    }

    private static async Task ShowWaveAsync(FleetSession session, V1.ExplainWaveRequest request, CancellationToken cancellationToken)
    {
        var explanation = await RolloutColumns.Client(session).ExplainWaveAsync(request, cancellationToken: cancellationToken);
        if (session.Output.IsJson)
        {
            await session.Output.ShowAsync(explanation);
            return;
        }

        foreach (var line in WaveStory.Of(explanation))
        {
            await session.Output.LineAsync(line);
        }
    }
}
