using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using V1 = Muster.Protocol.V1;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>Bad identities and bad requests of operators, against the whole product.</summary>
[Collection(BadInputGroup.Name)]
public sealed class BadOperatorTests(BadInputSite site)
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes("an image that nobody accepts");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("none")]
    [InlineData("of a device")]
    [InlineData("self-signed")]
    [InlineData("of another CA with the same name")]
    public async Task Handshake_WithABadCertificate_IsRefused(string kind)
    {
        var before = await site.AcceptedAsync();
        using var certificate = Make(kind);
        using var line = new OperatorLine(site, certificate);

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await line.Operators.WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: Stop));

        // With TLS 1.3 the server's alert comes after the client's first write: the client names it by whichever it met first.
        Assert.True(refusal.StatusCode is StatusCode.Unavailable or StatusCode.Internal, $"{refusal.StatusCode}");
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("administrator")]
    public async Task Call_WithACertificateOfTheCaThatNoAccountHas_IsUnauthenticated(string name)
    {
        // The second one is an operator's name with a certificate that is not, or no longer, his.
        var before = await site.AcceptedAsync();
        using var certificate = OperatorLine.IssueBehindTheBack(site.PkiFolder, name);
        using var line = new OperatorLine(site, certificate);

        var refused = await OperatorLine.RefusedAsync(
            async () => await line.Operators.WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: Stop));

        Assert.Equal((StatusCode.Unauthenticated, "OPERATOR_UNKNOWN"), refused);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("unsigned", StatusCode.InvalidArgument, "IMAGE_UNSIGNED")]
    [InlineData("no signature at all", StatusCode.InvalidArgument, "IMAGE_SIGNATURE_INVALID")]
    [InlineData("tampered", StatusCode.InvalidArgument, "IMAGE_SIGNATURE_INVALID")]
    [InlineData("expired signer", StatusCode.InvalidArgument, "IMAGE_CERTIFICATE_EXPIRED")]
    [InlineData("chained elsewhere", StatusCode.InvalidArgument, "IMAGE_CERTIFICATE_UNTRUSTED")]
    [InlineData("signer without code signing", StatusCode.InvalidArgument, "IMAGE_CERTIFICATE_USAGE")]
    [InlineData("another digest than stated", StatusCode.InvalidArgument, "IMAGE_DIGEST_MISMATCH")]
    [InlineData("shorter than stated", StatusCode.InvalidArgument, "IMAGE_DIGEST_MISMATCH")]
    [InlineData("longer than stated", StatusCode.ResourceExhausted, "IMAGE_TOO_LARGE")]
    [InlineData("no version", StatusCode.InvalidArgument, "REQUEST_INVALID")]
    public async Task Upload_OfABadImage_IsRefusedAndLeavesNothing(string kind, StatusCode code, string reason)
    {
        var before = await site.AcceptedAsync();

        var refused = await OperatorLine.RefusedAsync(() => UploadAsync(kind));

        Assert.Equal((code, reason), refused);
        Assert.Equal(before, await site.AcceptedAsync());
        var digest = Convert.ToHexStringLower(SHA256.HashData(Content));
        var missing = await OperatorLine.RefusedAsync(async () => await site.Administrator.Images.GetImageAsync(
            new V1.GetImageRequest { Name = $"{BadInputSite.Parent}/images/{digest}" }));
        Assert.Equal((StatusCode.NotFound, "IMAGE_NOT_FOUND"), missing);
    }

    [Fact]
    public async Task Rollout_ForNoDevice_IsRefusedBeforeItRuns()
    {
        var request = Rollout("for-nobody", "model=NO-SUCH");
        request.ValidateOnly = true;
        var before = await site.AcceptedAsync();

        var validated = await OperatorLine.RefusedAsync(async () => await site.Administrator.Rollouts.CreateRolloutAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_MATCHES_NO_DEVICE"), validated);
        Assert.Equal(before, await site.AcceptedAsync());

        // Devices may come before it starts: a draft is allowed, its start is not.
        request.ValidateOnly = false;
        await site.Administrator.Rollouts.CreateRolloutAsync(request, cancellationToken: Stop);
        before = await site.AcceptedAsync();
        var start = new V1.StartRolloutRequest { Name = $"{BadInputSite.Parent}/rollouts/for-nobody" };
        var started = await OperatorLine.RefusedAsync(
            async () => await site.Administrator.Rollouts.StartRolloutAsync(start, cancellationToken: Stop));
        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_MATCHES_NO_DEVICE"), started);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("of an image that is not there", StatusCode.NotFound, "IMAGE_NOT_FOUND")]
    [InlineData("with an unreadable filter", StatusCode.InvalidArgument, "ROLLOUT_SPEC_INVALID")]
    [InlineData("without waves", StatusCode.InvalidArgument, "REQUEST_INVALID")]
    public async Task Rollout_ThatMakesNoSense_IsRefused(string kind, StatusCode code, string reason)
    {
        var before = await site.AcceptedAsync();
        var request = Rollout("senseless", kind == "with an unreadable filter" ? "colour=blue" : "");
        switch (kind)
        {
            case "of an image that is not there":
                request.Rollout.Image = $"{BadInputSite.Parent}/images/{new string('0', 64)}";
                break;
            case "without waves":
                request.Rollout.Waves.Clear();
                break;
            default:
                break;
        }

        var refused = await OperatorLine.RefusedAsync(async () => await site.Administrator.Rollouts.CreateRolloutAsync(request));

        Assert.Equal((code, reason), refused);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("device")]
    [InlineData("image")]
    [InlineData("rollout")]
    [InlineData("operator")]
    [InlineData("product")]
    [InlineData("policy")]
    public async Task Creation_UnderARepeatedRequestId_IsDoneOnce(string kind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signingRequest = new CertificateRequest("CN=anna", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var content = Encoding.UTF8.GetBytes("an image that is uploaded twice");
        var signature = site.Sign(content);
        Func<int, Task<string>> create = kind switch
        {
            "device" => async n => (await site.ExpectAsync("B8A44F0000C3", "again", $"P3265-V{n}")).ToString(),
            "image" => async n => (await site.UploadAsync(content, signature, header =>
            {
                header.RequestId = "again";
                header.Image.Version = $"12.11.{n}";
            })).ToString(),
            "rollout" => async n => (await site.Administrator.Rollouts.CreateRolloutAsync(Rollout("twice", $"site={n}"))).ToString(),
            "operator" => async n => (await site.Administrator.Operators.CreateOperatorAsync(Operator(signingRequest, n))).ToString(),
            "product" => async n => (await site.Administrator.Products.CreateProductAsync(Product(n))).ToString(),
            _ => async n => (await site.Administrator.Policies.CreatePolicyAsync(Policy(n))).ToString(),
        };

        var first = await create(1);
        var before = await site.AcceptedAsync();
        var again = await create(1);
        var refused = await OperatorLine.RefusedAsync(() => create(2));

        Assert.Equal(first, again);
        Assert.Equal((StatusCode.AlreadyExists, "REQUEST_ID_REUSED"), refused);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    private Task<V1.Image> UploadAsync(string kind)
    {
        var codeSigning = new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], true);
        switch (kind)
        {
            case "unsigned":
                return site.UploadAsync(Content, []);
            case "no signature at all":
                return site.UploadAsync(Content, "signed, believe me"u8.ToArray());
            case "tampered":
                return site.UploadAsync(Content, site.Sign([.. Content, 0]));
            case "expired signer":
                var expired = site.Publisher.IssueSigner("Old signer", Now.AddHours(-2), Now.AddHours(-1), codeSigning);
                return site.UploadAsync(Content, site.Sign(Content, expired));
            case "chained elsewhere":
                using (var other = ImagePublisher.Create("Image root", Now))
                {
                    return site.UploadAsync(Content, site.Sign(Content, other.IssueSigner("Signer", Now)));
                }

            case "signer without code signing":
                var server = new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], true);
                return site.UploadAsync(
                    Content, site.Sign(Content, site.Publisher.IssueSigner("Server", Now.AddDays(-1), Now.AddDays(1), server)));
            case "another digest than stated":
                return site.UploadAsync(
                    Content, site.Sign(Content), header => header.Image.Name = $"{BadInputSite.Parent}/images/{new string('1', 64)}");
            case "shorter than stated":
                return site.UploadAsync(Content, site.Sign(Content), header => header.Image.SizeBytes = Content.Length + 1);
            case "longer than stated":
                return site.UploadAsync(Content, site.Sign(Content), header => header.Image.SizeBytes = Content.Length - 1);
            default:
                return site.UploadAsync(Content, site.Sign(Content), header => header.Image.Version = "newest");
        }
    }

    private X509Certificate2? Make(string kind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        switch (kind)
        {
            case "none":
                return null;
            case "of a device":
                return DeviceLine.Load(site.Identity);
            case "self-signed":
                var request = new CertificateRequest("CN=administrator", key, HashAlgorithmName.SHA256);
                return request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
            default:
                using (var other = CertificateAuthority.Create("Muster operators CA", Now, TimeSpan.FromDays(1)))
                {
                    var asked = new CertificateRequest("CN=administrator", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
                    Assert.True(Domain.ResourceId.TryParse("administrator", out var id));
                    var (signed, _) = new OperatorCertificateAuthority(other, TimeSpan.FromHours(1))
                        .Sign(asked, Domain.TenantId.Default, id, Now);
                    return X509Certificate2.CreateFromPem(signed!.Pem, key.ExportPkcs8PrivateKeyPem());
                }
        }
    }

    private V1.CreateRolloutRequest Rollout(string id, string filter) => new()
    {
        Parent = BadInputSite.Parent,
        RolloutId = id,
        RequestId = "again",
        Rollout = new V1.Rollout
        {
            Image = $"{BadInputSite.Parent}/images/{site.ImageDigest}",
            Filter = filter,
            Waves = { new V1.WaveSpec { Percent = 100 } },
        },
    };

    private static V1.CreateOperatorRequest Operator(string signingRequest, int n) => new()
    {
        Parent = BadInputSite.Parent,
        OperatorId = "anna",
        RequestId = "again",
        Operator = new V1.Operator { Roles = { n == 1 ? V1.OperatorRole.Approver : V1.OperatorRole.Viewer } },
        CertificateRequest = signingRequest,
    };

    private static V1.CreateProductRequest Product(int n) => new()
    {
        Parent = BadInputSite.Parent,
        ProductId = "P9999",
        RequestId = "again",
        Product = new V1.Product { Replacement = $"P1000{n}" },
    };

    private static V1.CreatePolicyRequest Policy(int n) => new()
    {
        Parent = BadInputSite.Parent,
        PolicyId = "minimum",
        RequestId = "again",
        Policy = new V1.Policy
        {
            Models = { "P9999" },
            Rules = { new V1.PolicyRule { Name = "os", MinimumOsVersion = $"12.{n}" } },
        },
    };
}
