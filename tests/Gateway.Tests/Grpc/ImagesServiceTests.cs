using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class ImagesServiceTests
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Digest => Convert.ToHexStringLower(SHA256.HashData(Content));

    [Fact]
    public async Task UploadImage_InChunks_IsStagedAndRegisteredByItsDigest()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        RegisterImage? registered = null;
        edge.Fleet.On<IImageGrain, ImageReply>(nameof(IImageGrain.RegisterAsync), (key, args) =>
        {
            registered = (RegisterImage)args[0]!;
            return new ImageReply(Published(key, registered), null);
        });

        var image = await UploadAsync(edge, Header());

        Assert.Equal($"tenants/default/images/{Digest}", image.Name);
        Assert.Equal(["Q1656", "P3265-V"], Header().Image.Models);
        Assert.Equal(["P3265-V", "Q1656"], registered!.Manifest.Models);
        Assert.Equal(Actor.Operator("anna"), registered.Actor);
        Assert.Equal(Content, await File.ReadAllBytesAsync(Path.Combine(edge.Folder, "artifacts", "staged", Digest), Stop));
    }

    [Fact]
    public async Task UploadImage_WithAllThatCanBeStated_GivesItBack()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IImageGrain, ImageReply>(
            nameof(IImageGrain.RegisterAsync), (key, args) => new ImageReply(Published(key, (RegisterImage)args[0]!), null));
        var header = Header();
        header.Image.MergeFrom(new V1.Image
        {
            Track = "12.1",
            ReleasedOn = "2026-09-01",
            Notes = "Fixes what the audit found.",
            FixedVulnerabilities = { "CVE-2025-9524", "CVE-2026-12345" },
            MinFromVersion = "8.40",
            RequiredSteps = { "10.12.300", "11.11" },
            SecurityFloor = "12.0",
            Sbom = "https://example.com/12.1.0.spdx.json",
            SupportedFrom = "2026-04-01",
            SupportedUntil = "2031-12-31",
        });

        var image = await UploadAsync(edge, header);

        var expected = header.Image.Clone();
        expected.Models.Clear();
        expected.Models.AddRange(["P3265-V", "Q1656"]);
        (expected.Name, expected.Signer, expected.SignerSha256) = (image.Name, image.Signer, image.SignerSha256);
        (expected.CreatedAt, expected.Etag, expected.State) = (image.CreatedAt, image.Etag, V1.ImageState.Published);
        expected.Format = V1.ImageFormat.CmsDetached;
        Assert.Equal(expected, image);
    }

    [Fact]
    public async Task UploadImage_WithAStatementThatCannotBeRead_NamesEveryField()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var header = Header();
        header.Image.MergeFrom(new V1.Image { ReleasedOn = "1.9.2026", FixedVulnerabilities = { "CVE-1" }, SupportedUntil = "soon" });

        var (code, reason, error) = await Samples.RefusedAsync(async () => await UploadAsync(edge, header));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
        Assert.Contains("released_on", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("fixed_vulnerabilities", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("supported_until", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RevokeImage_OfAPublishedOne_SaysWhoAndHowManyDevicesRunIt()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var digest = new string('a', 64);
        var map = new PartitionMap(PartitionMap.CountMin);
        foreach (var name in new[] { "B8A44F000001", "B8A44F000002", "B8A44F000003" })
        {
            var row = Samples.Row(name);
            var running = name.EndsWith('3') ? row : row with { Row = (DeviceRow)row.Row with { ImageDigest = digest } };
            await edge.Fleet.InventoryOf(map.OfDevice($"default/{name}")).PutAsync(running);
        }

        RevokeImage? order = null;
        edge.Fleet.On<IImageGrain, ImageReply>(nameof(IImageGrain.RevokeAsync), (key, args) =>
        {
            order = (RevokeImage)args[0]!;
            var image = Published(key, new RegisterImage(order.Actor, "r1", Manifest, [1]));
            var revocation = new ImageRevocation(order.Actor, order.Reason, Samples.At, order.RequestId);
            return new ImageReply(image with { State = ImageState.Revoked, Revocation = revocation }, null);
        });
        var request = new V1.RevokeImageRequest
        {
            Name = $"tenants/default/images/{digest}", Reason = "It bricks cameras.", RequestId = "r2",
        };

        var image = await Client(edge).RevokeImageAsync(request, cancellationToken: Stop);

        Assert.Equal(V1.ImageState.Revoked, image.State);
        Assert.Equal(("anna", "It bricks cameras."), (image.Revocation.Operator, image.Revocation.Reason));
        Assert.Equal(2, image.DevicesRunning);
        Assert.Equal("r2", order!.RequestId);
    }

    [Fact]
    public async Task PublishImage_ByAnOperatorWithoutTheRole_IsRefusedBeforeAnyGrain()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.PublishImageRequest { Name = $"tenants/default/images/{new string('a', 64)}" };

        var (code, _, _) = await Samples.RefusedAsync(
            async () => await Client(edge).PublishImageAsync(request, cancellationToken: Stop));

        Assert.Equal(StatusCode.PermissionDenied, code);
    }

    [Fact]
    public async Task UploadImage_LargerThanAnHttpBodyMayBe_IsTaken()
    {
        const int Megabytes = 40;
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IImageGrain, ImageReply>(
            nameof(IImageGrain.RegisterAsync), (key, args) => new ImageReply(Published(key, (RegisterImage)args[0]!), null));
        var header = Header();
        header.Image.SizeBytes = Megabytes * 1024 * 1024;
        using var call = Client(edge).UploadImage(cancellationToken: Stop);

        await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Header = header }, Stop);
        var chunk = new V1.UploadImageRequest { Chunk = ByteString.CopyFrom(new byte[1024 * 1024]) };
        for (var i = 0; i < Megabytes; i++)
        {
            await call.RequestStream.WriteAsync(chunk, Stop);
        }

        await call.RequestStream.CompleteAsync();
        var image = await call;

        Assert.Equal(header.Image.SizeBytes, image.SizeBytes);
    }

    [Fact]
    public async Task UploadImage_Unsigned_IsRefusedBeforeAByteIsKept()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var header = Header();
        header.Signature = ByteString.Empty;

        var (code, reason, _) = await Samples.RefusedAsync(() => UploadAsync(edge, header));

        Assert.Equal((StatusCode.InvalidArgument, "IMAGE_UNSIGNED"), (code, reason));
        Assert.Empty(Directory.GetFiles(Path.Combine(edge.Folder, "artifacts", "staged")));
    }

    [Fact]
    public async Task UploadImage_ABundle_NeedsNoSignatureBesideItAndShowsWhatIsInIt()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        RegisterImage? registered = null;
        var bundle = new ImageBundle(ImageFormat.RaucVerity, "Foo", "12.1.0", [new BundleSlot("rootfs", "rootfs.img", 7, "ab")]);
        edge.Fleet.On<IImageGrain, ImageReply>(nameof(IImageGrain.RegisterAsync), (key, args) =>
        {
            registered = (RegisterImage)args[0]!;
            var image = Published(key, registered) with { Bundle = bundle, Timestamp = new ImageTimestamp(Samples.At, "CN=Authority") };
            return new ImageReply(image, null);
        });
        var header = Header();
        header.Signature = ByteString.Empty;
        header.Image.Format = V1.ImageFormat.RaucVerity;
        header.Image.Compatible = "Foo";

        var image = await UploadAsync(edge, header);

        Assert.True(registered!.Signature.IsEmpty);
        Assert.Equal((ImageFormat.RaucVerity, "Foo"), (registered.Manifest.Format, registered.Manifest.Compatible));
        Assert.Equal((V1.ImageFormat.RaucVerity, "Foo"), (image.Format, image.Compatible));
        Assert.Equal("rootfs.img", Assert.Single(image.Slots).FileName);
        Assert.Equal((Samples.At, "CN=Authority"), (image.TimestampedAt.ToDateTimeOffset(), image.TimestampAuthority));
    }

    [Fact]
    public async Task UploadImage_OfAFormatThatNobodyKnows_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var header = Header();
        header.Image.Format = (V1.ImageFormat)9;
        header.Image.Compatible = new string('x', 257);

        var (code, reason, _) = await Samples.RefusedAsync(() => UploadAsync(edge, header));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task UploadImage_WhoseSignatureTheSiloRefuses_SaysWhy()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IImageGrain, ImageReply>(
            nameof(IImageGrain.RegisterAsync), (_, _) => new ImageReply(null, ImageErrors.SignatureInvalid("other bytes")));

        var (code, reason, _) = await Samples.RefusedAsync(() => UploadAsync(edge, Header()));

        Assert.Equal((StatusCode.InvalidArgument, "IMAGE_SIGNATURE_INVALID"), (code, reason));
    }

    [Fact]
    public async Task UploadImage_OfAnotherDigestThanStated_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var header = Header();
        header.Image.Name = "tenants/default/images/" + new string('0', 64);

        var (code, reason, _) = await Samples.RefusedAsync(() => UploadAsync(edge, header));

        Assert.Equal((StatusCode.InvalidArgument, "IMAGE_DIGEST_MISMATCH"), (code, reason));
    }

    [Fact]
    public async Task UploadImage_LongerThanStated_IsRefusedAndLeavesNothing()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var header = Header();
        header.Image.SizeBytes = 1000;

        var (code, reason, _) = await Samples.RefusedAsync(() => UploadAsync(edge, header));

        Assert.Equal((StatusCode.ResourceExhausted, "IMAGE_TOO_LARGE"), (code, reason));
        Assert.Empty(Directory.GetFiles(Path.Combine(edge.Folder, "artifacts", "staged")));
    }

    [Fact]
    public async Task UploadImage_ThatBeginsWithBytes_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        using var call = Client(edge).UploadImage(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Chunk = ByteString.CopyFrom(1) }, Stop);

        var (code, reason, _) = await Samples.RefusedAsync(async () => await call);

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task AppendUpload_InTwoCalls_BecomesAnImageByItsName()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        RegisterImage? registered = null;
        edge.Fleet.On<IImageGrain, ImageReply>(nameof(IImageGrain.RegisterAsync), (key, args) =>
        {
            registered = (RegisterImage)args[0]!;
            return new ImageReply(Published(key, registered), null);
        });
        var header = Header();
        header.Image.Name = $"tenants/default/images/{Convert.ToHexStringLower(SHA256.HashData(Content))}";
        var client = Client(edge);

        Assert.Equal(100, (await AppendAsync(client, header.Image.Name, 0, 100)).ReceivedBytes);
        var asked = await client.GetUploadAsync(
            new V1.GetUploadRequest { Name = header.Image.Name, SizeBytes = Content.Length }, cancellationToken: Stop);
        Assert.Equal(100, asked.ReceivedBytes);
        Assert.Equal(Content.Length, (await AppendAsync(client, header.Image.Name, 100, Content.Length)).ReceivedBytes);
        using var call = client.UploadImage(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Header = header }, Stop);
        await call.RequestStream.CompleteAsync();

        Assert.Equal(header.Image.Name, (await call).Name);
        Assert.Equal("r1", registered!.RequestId);
    }

    [Fact]
    public async Task AppendUpload_AtAnotherPlace_SaysWhereItIs()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var name = $"tenants/default/images/{Convert.ToHexStringLower(SHA256.HashData(Content))}";
        var client = Client(edge);
        await AppendAsync(client, name, 0, 100);

        var (code, reason, status) = await Samples.RefusedAsync(() => AppendAsync(client, name, 50, 60));

        Assert.Equal((StatusCode.FailedPrecondition, "UPLOAD_OFFSET_WRONG"), (code, reason));
        Assert.Equal("100", status.GetDetail<Google.Rpc.ErrorInfo>().Metadata["received"]);
    }

    [Theory]
    [InlineData("tenants/default/images/short", 10, 0)]
    [InlineData(null, 0, 0)]
    [InlineData(null, 2L << 30, 0)]
    [InlineData(null, 10, 11)]
    [InlineData(null, 10, -1)]
    public async Task AppendUpload_OfAMalformedHeader_IsRefused(string? name, long size, long offset)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        using var call = Client(edge).AppendUpload(cancellationToken: Stop);
        var header = new V1.AppendUploadHeader
        {
            Name = name ?? $"tenants/default/images/{new string('a', 64)}",
            SizeBytes = size,
            Offset = offset,
        };
        await call.RequestStream.WriteAsync(new V1.AppendUploadRequest { Header = header }, Stop);

        var (code, reason, _) = await Samples.RefusedAsync(async () => await call);

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    private static async Task<V1.Upload> AppendAsync(V1.Images.ImagesClient client, string name, int from, int to)
    {
        using var call = client.AppendUpload(cancellationToken: Stop);
        var header = new V1.AppendUploadHeader { Name = name, SizeBytes = Content.Length, Offset = from };
        await call.RequestStream.WriteAsync(new V1.AppendUploadRequest { Header = header }, Stop);
        await call.RequestStream.WriteAsync(new V1.AppendUploadRequest { Chunk = ByteString.CopyFrom(Content[from..to]) }, Stop);
        await call.RequestStream.CompleteAsync();
        return await call;
    }

    private static ImageManifest Manifest => new("12.1.0", ImageTrack.Active, ["P3265-V"], 1);

    private static V1.Images.ImagesClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.UploadImageHeader Header() => new()
    {
        Parent = "tenants/default",
        RequestId = "r1",
        Signature = ByteString.CopyFrom(1, 2, 3),
        Image = new V1.Image { Version = "12.1.0", Track = "active", Models = { "Q1656", "P3265-V" }, SizeBytes = Content.Length },
    };

    private static async Task<V1.Image> UploadAsync(OperatorsEdge edge, V1.UploadImageHeader header)
    {
        using var call = Client(edge).UploadImage(cancellationToken: Stop);
        try
        {
            await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Header = header }, Stop);
            foreach (var chunk in Content.Chunk(64 * 1024))
            {
                await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Chunk = ByteString.CopyFrom(chunk) }, Stop);
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // Answered before the end: the answer is what counts.
        }

        return await call;
    }

    private static Image Published(string key, RegisterImage command)
    {
        var (tenant, digest) = ImageKey.Parse(key);
        return new Image
        {
            Tenant = tenant,
            Digest = digest,
            Manifest = command.Manifest,
            State = ImageState.Published,
            Signature = command.Signature,
            Signer = new ImageSigner("CN=vendor", "ab"),
            RequestId = command.RequestId,
            CreatedAt = Samples.At,
        };
    }
}
