using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using Muster.Protocol;
using V1 = Muster.Protocol.V1;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>The tests share one installation and run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BadInputGroup : ICollectionFixture<BadInputSite>
{
    public const string Name = "bad input";
}

/// <summary>
/// One installation for all bad input, in which something was accepted before: an image, a running rollout, and a device in service
/// that was offered it. Whatever a test throws at it, <see cref="AcceptedAsync"/> stays the same.
/// </summary>
public sealed class BadInputSite : IAsyncLifetime
{
    public const string Serial = "B8A44F0000A1";

    public const string Model = "P3265-V";

    public const string Parent = "tenants/default";

    public const string DeviceName = $"{Parent}/devices/{Serial}";

    /// <summary>Of the rollout.</summary>
    public const long Generation = 1;

    private readonly OneProcess _muster = new();

    public BadInputSite()
    {
        var now = TimeProvider.System.GetUtcNow();
        Publisher = ImagePublisher.Create("Image root", now);
        RootOnly = DeviceIdentityIssuer.Create("Maker whose intermediate is not installed", now);
        Identity = Vendor.Issue(Serial, now);
        var images = Directory.CreateDirectory(Path.Combine(_muster.Folder, "trust", "images"));
        File.WriteAllText(Path.Combine(images.FullName, "publisher.pem"), Publisher.TrustPem);
        using var root = X509Certificate2.CreateFromPem(RootOnly.TrustPem);
        File.WriteAllText(Path.Combine(_muster.Folder, "trust", "devices", "root-only.pem"), root.ExportCertificatePem());
    }

    public int MqttPort => _muster.MqttPort;

    public int HttpsPort => _muster.HttpsPort;

    public string Address => $"https://localhost:{_muster.GrpcPort}";

    public string PkiFolder => Path.Combine(_muster.Folder, "pki");

    public string Profile => _muster.Profile;

    public DeviceIdentityIssuer Vendor => _muster.Vendor;

    /// <summary>Its root is trusted, its intermediate is not known: devices have to send it.</summary>
    public DeviceIdentityIssuer RootOnly { get; }

    public ImagePublisher Publisher { get; }

    /// <summary>Of the device in service.</summary>
    public IssuedCertificate Identity { get; }

    public string ImageDigest { get; private set; } = "";

    internal OperatorLine Administrator { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await _muster.StartAsync(TestContext.Current.CancellationToken);
        Administrator = OperatorLine.OfAdministrator(this);
        await AcceptSomethingAsync();
    }

    public Task<(int Code, string Output, string Error)> MusterAsync(params string[] arguments) => _muster.MusterAsync(arguments);

    /// <summary>What a client trusts: the installation's own CA of servers.</summary>
    public X509ChainPolicy ServerTrust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(PkiFolder, "server-ca.pem"));
        return policy;
    }

    /// <summary>Everything that was accepted, as the API says it: the device without its presence, rollouts, images, operators.</summary>
    public async Task<string> AcceptedAsync()
    {
        var device = await Administrator.Devices.GetDeviceAsync(new V1.GetDeviceRequest { Name = DeviceName });
        device.Presence = null;

        // One of the tests makes a policy, and seconds later every device is evaluated anew.
        device.Compliance = null;
        var devices = await Administrator.Devices.ListDevicesAsync(new V1.ListDevicesRequest { Parent = Parent });
        var images = await Administrator.Images.ListImagesAsync(new V1.ListImagesRequest { Parent = Parent });
        var rollouts = await Administrator.Rollouts.ListRolloutsAsync(new V1.ListRolloutsRequest { Parent = Parent });
        var operators = await Administrator.Operators.ListOperatorsAsync(new V1.ListOperatorsRequest { Parent = Parent });
        return string.Join('\n', [
            device.ToString(), images.ToString(), operators.ToString(),
            .. devices.Devices.Select(one => $"{one.Name} {one.State}"), .. rollouts.Rollouts.Select(one => $"{one.Name} {one.State}")]);
    }

    public async ValueTask DisposeAsync()
    {
        Administrator?.Dispose();
        await _muster.DisposeAsync();
        Publisher.Dispose();
        RootOnly.Dispose();
    }

    /// <summary>An upload with this content, header and signature, as the API wants it.</summary>
    internal async Task<V1.Image> UploadAsync(byte[] content, byte[] signature, Action<V1.UploadImageHeader>? change = null)
    {
        var header = new V1.UploadImageHeader
        {
            Parent = Parent,
            Image = new V1.Image { Version = "12.11.77", Track = "active", Models = { Model }, SizeBytes = content.Length },
            Signature = ByteString.CopyFrom(signature),
            RequestId = Guid.NewGuid().ToString("N"),
        };
        change?.Invoke(header);
        using var call = Administrator.Images.UploadImage();
        await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Header = header });
        try
        {
            await call.RequestStream.WriteAsync(new V1.UploadImageRequest { Chunk = ByteString.CopyFrom(content) });
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or InvalidOperationException)
        {
            // The server has answered already.
        }

        return await call;
    }

    public byte[] Sign(byte[] content, IssuedCertificate? signer = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var stream = new MemoryStream(content);
        return CmsImageSigner.Sign(stream, signer ?? Publisher.IssueSigner("Signer", now), "", now);
    }

    private async Task AcceptSomethingAsync()
    {
        await ExpectAsync(Serial);
        var content = Encoding.UTF8.GetBytes("an image that was accepted");
        ImageDigest = (await UploadAsync(content, Sign(content))).Name.Split('/')[^1];
        await using var device = await DeviceLine.ConnectedAsync(this, MQTTnet.Formatter.MqttProtocolVersion.V500);
        var hello = await device.PublishAsync(Topics.Hello, Hello(Serial, 1));
        Assert.Equal(MQTTnet.MqttClientPublishReasonCode.Success, hello.ReasonCode);
        var created = await MusterAsync("rollouts", "create", "spring", "--image", ImageDigest, "--wave", "1", "--request-id", "spring-1");
        Assert.True(created.Code == 0, created.Error);
        Assert.Equal(0, (await MusterAsync("rollouts", "start", "spring")).Code);
        await device.NextAsync(Topics.Desired);
    }

    internal async Task<V1.Device> ExpectAsync(string serial, string requestId = "", string model = Model) =>
        await Administrator.Devices.CreateDeviceAsync(new V1.CreateDeviceRequest
        {
            Parent = Parent,
            DeviceId = serial,
            RequestId = requestId.Length > 0 ? requestId : $"expect-{serial}",
            Device = new V1.Device
            {
                Model = model,
                Track = "active",
                Warranty = new V1.Warranty { StartsOn = "2026-01-01", TermMonths = 60 },
            },
        });

    public static string Hello(string serial, long sequence) =>
        $$"""
        {"stamp":{"bootId":"boot-1","sequence":"{{sequence}}"},"serial":"{{serial}}","model":"{{Model}}","osVersion":"12.11.70",
         "secureBoot":true,"factoryDefault":true}
        """;
}
