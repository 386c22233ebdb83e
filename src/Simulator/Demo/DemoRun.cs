using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Protocol.V1;
using Muster.Simulator.Fleet;

namespace Muster.Simulator.Demo;

/// <summary>
/// The job from delivery list to tombstone through the public API; every wait is bounded, and what was missed is a violation.
/// </summary>
internal sealed class DemoRun(OperatorClient requester, OperatorClient approver, int devices, TextWriter progress, TimeProvider time)
{
    public const string Parent = "tenants/default";

    public const string Model = "P3265-V";

    private const int CallsMax = 16;
    private const int RetiredMax = 20;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations => _violations;

    public int Retired => Math.Min(RetiredMax, devices);

    /// <summary>A step may take a minute, and a tenth of a second for each device.</summary>
    private TimeSpan Patience => TimeSpan.FromSeconds(60 + (devices / 10.0));

    public void Require(string what, long expected, long actual)
    {
        progress.WriteLine($"  {what}: {actual} of {expected}");
        if (expected != actual)
        {
            _violations.Add($"{what}: {actual} instead of {expected}");
        }
    }

    public Task ExpectAsync(CancellationToken cancellationToken) => ForEachAsync(
        devices,
        (index, cancel) => requester.Devices.CreateDeviceAsync(
            new CreateDeviceRequest
            {
                Parent = Parent,
                DeviceId = FleetOptions.Serial(index),
                RequestId = $"demo-{index}",
                Device = new Device
                {
                    Model = Model,
                    Track = "active",
                    Site = "Lund",
                    OsFloor = "12.0",
                    Approval = EnrollmentApproval.Automatic,
                    Warranty = new Warranty { StartsOn = time.GetUtcNow().ToString("yyyy-MM-dd"), TermMonths = 60 },
                },
            },
            cancellationToken: cancel).ResponseAsync,
        cancellationToken);

    /// <summary>Polls a count of devices until it is there.</summary>
    public async Task<long> CountAsync(string what, string filter, long expected, CancellationToken cancellationToken)
    {
        var counted = await UntilAsync(
            async () => (await requester.Devices.CountDevicesAsync(
                new CountDevicesRequest { Parent = Parent, Filter = filter }, cancellationToken: cancellationToken)).Total,
            expected,
            cancellationToken);
        Require(what, expected, counted);
        return counted;
    }

    public async Task<Image> UploadAsync(string file, string version, CancellationToken cancellationToken)
    {
        var content = await File.ReadAllBytesAsync(file, cancellationToken);
        using var call = requester.Images.UploadImage(cancellationToken: cancellationToken);
        var header = new UploadImageHeader
        {
            Parent = Parent,
            RequestId = "demo-image",
            Image = new Image { Version = version, Track = "active", SizeBytes = content.Length, Models = { Model } },
            Signature = ByteString.CopyFrom(await File.ReadAllBytesAsync(file + ".cms", cancellationToken)),
        };
        await call.RequestStream.WriteAsync(new UploadImageRequest { Header = header }, cancellationToken);
        foreach (var chunk in content.Chunk(256 * 1024))
        {
            await call.RequestStream.WriteAsync(new UploadImageRequest { Chunk = ByteString.CopyFrom(chunk) }, cancellationToken);
        }

        await call.RequestStream.CompleteAsync();
        return await call;
    }

    public async Task ApplyPolicyAsync(string minimumVersion, CancellationToken cancellationToken) =>
        await requester.Policies.CreatePolicyAsync(
            new CreatePolicyRequest
            {
                Parent = Parent,
                PolicyId = "hardening",
                RequestId = "demo-policy",
                Policy = new Policy
                {
                    Models = { Model },
                    Rules =
                    {
                        new PolicyRule { Name = "os", MinimumOsVersion = minimumVersion },
                        new PolicyRule
                        {
                            Name = "ssh",
                            RequiredSetting = new RequiredSetting { Setting = "Network.SSH.Enabled", Value = "no" },
                        },
                    },
                },
            },
            cancellationToken: cancellationToken);

    public async Task RollOutAsync(Image image, CancellationToken cancellationToken)
    {
        var rollout = new Rollout
        {
            Image = image.Name,
            Filter = $"model=\"{Model}\"",
            FailureGate = new FailureGate { FailureCount = 1 },
            Waves = { new WaveSpec { Percent = 10, ConnectedOnly = false }, new WaveSpec { Percent = 100 } },
        };
        rollout = await requester.Rollouts.CreateRolloutAsync(
            new CreateRolloutRequest { Parent = Parent, RolloutId = "demo", Rollout = rollout, RequestId = "demo-rollout" },
            cancellationToken: cancellationToken);
        await requester.Rollouts.StartRolloutAsync(
            new StartRolloutRequest { Name = rollout.Name }, cancellationToken: cancellationToken);
        var decisions = 0;
        await UntilAsync(
            async () =>
            {
                rollout = await requester.Rollouts.GetRolloutAsync(
                    new GetRolloutRequest { Name = rollout.Name }, cancellationToken: cancellationToken);
                foreach (var decision in rollout.Decisions.Skip(decisions))
                {
                    progress.WriteLine($"  {decision.Decision}: {decision.Reason}");
                }

                decisions = rollout.Decisions.Count;
                progress.WriteLine("  " + string.Join("   ", rollout.WaveStatus.Select(Bar)));
                return rollout.State == RolloutState.Succeeded ? 1 : 0;
            },
            1,
            cancellationToken);
        Require("rollout succeeded", 1, rollout.State == RolloutState.Succeeded ? 1 : 0);
        Require("devices that the rollout brought to the image", devices, rollout.WaveStatus.Sum(wave => wave.Succeeded));
    }

    /// <summary>The product's support ends in seconds; some of its devices are retired by two people.</summary>
    public async Task EndSupportAsync(CancellationToken cancellationToken)
    {
        var end = Timestamp.FromDateTimeOffset(time.GetUtcNow().AddSeconds(5));
        var product = await requester.Products.CreateProductAsync(
            new CreateProductRequest
            {
                Parent = Parent,
                ProductId = Model,
                RequestId = "demo-product",
                Product = new Product { OsSupportEndsAt = end, HardwareSupportEndsAt = end },
            },
            cancellationToken: cancellationToken);
        var proposed = await UntilAsync(
            async () => (await requester.Products.GetProductAsync(
                new GetProductRequest { Name = product.Name }, cancellationToken: cancellationToken)).Proposed,
            devices,
            cancellationToken);
        Require("decommissions proposed", devices, proposed);
        await ForEachAsync(Retired, RetireAsync, cancellationToken);
    }

    private async Task RetireAsync(int index, CancellationToken cancellationToken)
    {
        var name = $"{Parent}/decommissions/{FleetOptions.Serial(index)}";
        await requester.Decommissions.RequestDecommissionAsync(
            new RequestDecommissionRequest { Name = name }, cancellationToken: cancellationToken);
        if (index == 0)
        {
            await RequireOtherApproverAsync(name, cancellationToken);
        }

        await approver.Decommissions.ApproveDecommissionAsync(
            new ApproveDecommissionRequest { Name = name }, cancellationToken: cancellationToken);
    }

    private async Task RequireOtherApproverAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await requester.Decommissions.ApproveDecommissionAsync(
                new ApproveDecommissionRequest { Name = name }, cancellationToken: cancellationToken);
            _violations.Add("the requester approved his own decommission");
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.PermissionDenied or StatusCode.FailedPrecondition)
        {
            progress.WriteLine($"  the requester's own approval is refused: {refusal.Status.Detail}");
        }
    }

    private static string Bar(Wave wave)
    {
        const int Width = 30;
        var filled = wave.Members == 0 ? 0 : (int)(Width * wave.Succeeded / wave.Members);
        return $"wave {wave.Index + 1} [{new string('#', filled)}{new string('.', Width - filled)}] {wave.Succeeded}/{wave.Members}";
    }

    private static Task ForEachAsync(int count, Func<int, CancellationToken, Task> call, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = CallsMax, CancellationToken = cancellationToken },
            async (index, cancel) => await call(index, cancel));

    public async Task<long> UntilAsync(Func<Task<long>> read, long expected, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var value = await read();
            if (value >= expected || time.GetElapsedTime(started) > Patience)
            {
                return value;
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }
}
