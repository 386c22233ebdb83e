using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Muster.Protocol.V1;
using Muster.Simulator.Vendor;

namespace Muster.Simulator.Demo;

/// <summary>A policy that wants a newer OS, the signed image, and the rollout that brings it to the fleet.</summary>
internal sealed class UpdateSteps(Ground ground)
{
    public const string PolicyName = "policy";
    public const string RolloutName = "rollout";

    private const string BootConfirmation = "boot-confirmation";
    private const string Version = "12.11.77";
    private const int ImageBytes = 1 << 20;
    private const int ChunkBytes = 256 * 1024;

    private Image _image = new();

    private string Digest => _image.Name[^64..];

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("Policy and image");
        await ApplyPolicyAsync(cancellationToken);
        await ground.CountAsync(
            PolicyName, "not compliant before the rollout", "compliance=NON_COMPLIANT", ground.Devices, cancellationToken);
        var file = Path.Combine(ground.Site.WorkFolder, "image.bin");
        VendorPki.WriteImage(ground.Site.PkiFolder, file, ImageBytes, Version, ground.Time.GetUtcNow());
        var signature = await File.ReadAllBytesAsync(file + ".cms", cancellationToken);
        var isUnsigned = ground.Plan.Broken == BreakStep.UnsignedImage;
        _image = await UploadAsync(file, isUnsigned ? [] : signature, cancellationToken);
        ground.Stage.Tell($"image {Version}, signed by {_image.Signer}");
    }

    public async Task RollOutAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("Rollout");
        var rollout = await new RolloutRun(ground).RunAsync(
            "demo", new Rollout { Image = _image.Name }, ("compliant", "compliance=COMPLIANT"), cancellationToken);
        ground.Findings.Require(RolloutName, "rollout succeeded", 1, rollout.State == RolloutState.Succeeded ? 1 : 0);
        ground.Tally.BootConfirmed = rollout.WaveStatus.Sum(wave => wave.Succeeded);
        ground.Findings.Require(BootConfirmation, "boot-confirmed", ground.Devices, ground.Tally.BootConfirmed);
        await ground.CompareAsync(
            BootConfirmation, "boot-confirmed", ground.Tally.BootConfirmed, story => story.Hello.Digest == Digest, cancellationToken);
        ground.Tally.Updated = await ground.CountAsync(
            RolloutName, "running the image", $"image_digest={Digest}", ground.Devices, cancellationToken);
        ground.Tally.Compliant = await ground.CountAsync(
            PolicyName, "compliant", "compliance=COMPLIANT", ground.Devices, cancellationToken);
        await ground.CompareAsync(
            PolicyName, "settings told with it", ground.Tally.Compliant, story => story.InventoryDigest == Digest, cancellationToken);
        await CompareDevicesAsync(cancellationToken);
    }

    private async Task<Image> UploadAsync(string file, byte[] signature, CancellationToken cancellationToken)
    {
        var content = await File.ReadAllBytesAsync(file, cancellationToken);
        try
        {
            using var call = ground.Requester.Images.UploadImage(cancellationToken: cancellationToken);
            var header = new UploadImageHeader
            {
                Parent = Ground.Parent,
                RequestId = "demo-image",
                Image = new Image { Version = Version, Track = "active", SizeBytes = content.Length, Models = { Ground.Model } },
                Signature = ByteString.CopyFrom(signature),
            };
            try
            {
                await call.RequestStream.WriteAsync(new UploadImageRequest { Header = header }, cancellationToken);
                foreach (var chunk in content.Chunk(ChunkBytes))
                {
                    await call.RequestStream.WriteAsync(new UploadImageRequest { Chunk = ByteString.CopyFrom(chunk) }, cancellationToken);
                }

                await call.RequestStream.CompleteAsync();
            }
            catch (Exception ended) when (ended is InvalidOperationException or RpcException
                || (ended is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // The answer came before the last chunk: it is the refusal, and the response tells it.
            }

            return await call;
        }
        catch (RpcException refusal) when (OperatorClient.ReasonOf(refusal).StartsWith("IMAGE_", StringComparison.Ordinal))
        {
            var reason = OperatorClient.ReasonOf(refusal);
            var check = reason == "IMAGE_UNSIGNED" ? BreakStep.UnsignedImage : "image";
            throw new DemoFaultException($"the image is refused with {reason}: {refusal.Status.Detail}") { Check = check };
        }
    }

    private async Task ApplyPolicyAsync(CancellationToken cancellationToken) =>
        await ground.Requester.Policies.CreatePolicyAsync(
            new CreatePolicyRequest
            {
                Parent = Ground.Parent,
                PolicyId = "hardening",
                RequestId = "demo-policy",
                Policy = new Policy
                {
                    Models = { Ground.Model },
                    Rules =
                    {
                        new PolicyRule { Name = "os", MinimumOsVersion = Version },
                        new PolicyRule
                        {
                            Name = "ssh",
                            RequiredSetting = new RequiredSetting { Setting = "Network.SSH.Enabled", Value = "no" },
                        },
                    },
                },
            },
            cancellationToken: cancellationToken);

    /// <summary>Device by device: what the API says it runs, in which boot and how often installed, against its own log.</summary>
    private async Task CompareDevicesAsync(CancellationToken cancellationToken)
    {
        var (lying, twice, boots) = (new ConcurrentBag<string>(), new ConcurrentBag<string>(), new ConcurrentBag<string>());
        await Pace.ForEachAsync(
            ground.Serials,
            async (serial, cancel) =>
            {
                var device = await ground.Requester.GetDeviceAsync(serial, cancel);
                var story = ground.Witness.Of(serial);
                var installs = story.Installs.GetValueOrDefault(device.ImageDigest);
                if (installs != 1)
                {
                    (installs == 0 ? lying : twice).Add(serial);
                }

                if (device.Installs != 1 || device.BootId != story.Hello.Boot || device.ImageDigest != story.Hello.Digest)
                {
                    boots.Add(serial);
                }
            },
            cancellationToken);
        ground.Stage.Tell($"compared with the fleet's own log: {ground.Devices} devices");
        ground.Findings.RequireNone(
            BreakStep.LyingDigest, "they run the image by the API, and by their own log never installed it", lying);
        ground.Findings.RequireNone(BreakStep.DuplicateInstall, "they installed the image more than once by their own log", twice);
        ground.Findings.RequireNone(BootConfirmation, "API and log do not agree on boot, digest or the number of installs", boots);
    }
}
