using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
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
