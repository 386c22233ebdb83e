using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Contracts.Devices;
using Muster.Cryptography.Est;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Muster.Gateway.Est;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Est;

public sealed class EstTests
{
    private const string Root = "/.well-known/est";

    private static readonly byte[] Request = new CertificateRequest(
        "", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256).CreateSigningRequest();

    private static readonly string TooLong = new('A', EstBody.BytesMax + 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CaCerts_OfADeviceThatMayConnect_AreTheFleetsAuthorities(bool isOperational)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var client = CreateClient(edge, isOperational ? edge.Pki.IssueOperational(Samples.Serial) : edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync($"{Root}/cacerts", Stop);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/pkcs7-mime", response.Content.Headers.ContentType!.MediaType);
        Assert.False(response.Content.Headers.Contains("Content-Transfer-Encoding"));
        using var authority = X509Certificate2.CreateFromPem(edge.Pki.Fleet.CertificatePem);
        Assert.Equal(CertsOnly.Encode([authority]), await ReadAsync(response));
        Assert.False(edge.Grains.Device(Samples.Serial).Admitted.Single().Receives);
    }

    [Fact]
    public async Task CsrAttrs_AreWhatIsAskedOfARequest()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync($"{Root}/csrattrs", Stop);

        Assert.Equal("application/csrattrs", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(CsrAttributes.Der, await ReadAsync(response));
    }

    [Theory]
    [InlineData("cacerts")]
    [InlineData("csrattrs")]
    public async Task Get_OfATombstone_IsRefused(string call)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        device.AdmitError = DeviceErrors.Tombstone(id);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync($"{Root}/{call}", Stop);

        await AssertRefusedAsync(response, HttpStatusCode.Forbidden, "DEVICE_DECOMMISSIONED");
    }

    [Theory]
    [InlineData("simpleenroll", CertificateCall.Enroll, Base64FormattingOptions.None)]
    [InlineData("simpleenroll", CertificateCall.Enroll, Base64FormattingOptions.InsertLineBreaks)]
    [InlineData("simplereenroll", CertificateCall.Renew, Base64FormattingOptions.None)]
    public async Task Post_OfARequest_GivesTheCertificateAlone(string path, CertificateCall call, Base64FormattingOptions lines)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var issued = edge.Pki.IssueOperational(Samples.Serial);
        IssueCertificate? asked = null;
        edge.Grains.Device(Samples.Serial).Issue = command =>
        {
            asked = command;
            return new CertificateReply([.. issued.RawData], null);
        };
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, path, Convert.ToBase64String(Request, lines));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/pkcs7-mime; smime-type=certs-only", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(CertsOnly.Encode([issued]), await ReadAsync(response));
        Assert.Equal(call, asked!.Call);
        Assert.Equal(Request, asked.Request);
        Assert.Equal((Samples.Serial, IdentityKind.Maker), (asked.Identity.Device.Value, asked.Identity.Kind));
    }

    [Fact]
    public async Task Post_OfAnEnrolmentThatWaits_IsAcceptedForLater()
    {
        await using var edge = await DeviceEdge.StartAsync();
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        edge.Grains.Device(Samples.Serial).Issue = _ => new CertificateReply([], CertificateErrors.EnrollmentWaits(id));
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, "simpleenroll", Convert.ToBase64String(Request));

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(300), response.Headers.RetryAfter!.Delta);
    }

    [Theory]
    [InlineData(ErrorKind.Precondition, HttpStatusCode.Forbidden, false)]
    [InlineData(ErrorKind.Denied, HttpStatusCode.Forbidden, false)]
    [InlineData(ErrorKind.Invalid, HttpStatusCode.BadRequest, false)]
    [InlineData(ErrorKind.Exhausted, HttpStatusCode.TooManyRequests, true)]
    [InlineData(ErrorKind.Unavailable, HttpStatusCode.ServiceUnavailable, true)]
    public async Task Post_ThatIsRefused_SaysWhyAndWhetherToComeBack(ErrorKind kind, HttpStatusCode status, bool comeBack)
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).Issue = _ => new CertificateReply([], FleetError.Of(kind, "A_REASON", "Because."));
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, "simpleenroll", Convert.ToBase64String(Request));

        await AssertRefusedAsync(response, status, "A_REASON");
        Assert.Equal(comeBack, response.Headers.RetryAfter is not null);
    }

    [Fact]
    public async Task Post_WhenTheGrainDoesNotAnswer_IsUnavailable()
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).Issue = _ => throw new TimeoutException("away");
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, "simpleenroll", Convert.ToBase64String(Request));

        await AssertRefusedAsync(response, HttpStatusCode.ServiceUnavailable, "TEMPORARILY_UNAVAILABLE");
    }

    [Theory]
    [InlineData("not base64!", "application/pkcs10")]
    [InlineData("AAAA", "text/plain")]
    [InlineData(null, "application/pkcs10")]
    public async Task Post_OfWhatIsNoRequest_IsRefusedWithoutAskingForACertificate(string? body, string type)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var isAsked = false;
        edge.Grains.Device(Samples.Serial).Issue = _ =>
        {
            isAsked = true;
            throw new NotSupportedException();
        };
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, "simpleenroll", body ?? TooLong, type);

        await AssertRefusedAsync(response, HttpStatusCode.BadRequest, "SIGNING_REQUEST_INVALID");
        Assert.False(isAsked);
        Assert.False(edge.Grains.Device(Samples.Serial).Admitted.Single().Receives);
    }

    /// <summary>It learns why it is refused, and nothing of its request or of the installation.</summary>
    [Theory]
    [InlineData("AAAA", "application/pkcs10", true)]
    [InlineData("AAAA", "application/pkcs10", false)]
    [InlineData("not base64!", "application/pkcs10", true)]
    [InlineData("AAAA", "text/plain", true)]
    [InlineData(null, "application/pkcs10", true)]
    public async Task Post_OfWhoeverMayNotConnect_IsRefusedForThatWhateverItSends(string? body, string type, bool hasFleet)
    {
        var pki = new TestPki { HasFleet = hasFleet };
        await using var edge = await DeviceEdge.StartAsync(pki, pki.CreateVerifier());
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        foreach (var refusal in new[] { DeviceErrors.Tombstone(id), DeviceErrors.IdentityMismatch(id) })
        {
            edge.Grains.Device(Samples.Serial).AdmitError = refusal;
            foreach (var call in new[] { "simpleenroll", "simplereenroll" })
            {
                using var response = await PostAsync(client, call, body ?? TooLong, type);
                await AssertRefusedAsync(response, HttpStatusCode.Forbidden, refusal.Reason);
            }
        }
    }

    /// <summary>At the door of MQTT it is refused; here the grain says that its request waits.</summary>
    [Fact]
    public async Task Post_OfADeviceThatNobodyExpectsYet_IsForItsGrainToAnswer()
    {
        await using var edge = await DeviceEdge.StartAsync();
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        var device = edge.Grains.Device(Samples.Serial);
        device.AdmitError = EnrollmentRequestErrors.Waits(id);
        device.Issue = _ => new CertificateReply([], CertificateErrors.EnrollmentWaits(id));
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await PostAsync(client, "simpleenroll", Convert.ToBase64String(Request));

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Theory]
    [InlineData("untrusted", "CERTIFICATE_UNTRUSTED")]
    [InlineData("expired operational", "CERTIFICATE_EXPIRED")]
    [InlineData("operational of another tenant", "CERTIFICATE_NOT_A_DEVICE_IDENTITY")]
    public async Task EveryCall_WithABadCertificate_IsRefusedWithTheReason(string kind, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync();
        Assert.True(TenantId.TryParse("other", out var other));
        using var client = CreateClient(edge, kind switch
        {
            "untrusted" => TestPki.IssueUntrusted(Samples.Serial),
            "expired operational" => edge.Pki.IssueOperational(Samples.Serial, ago: TimeSpan.FromDays(31)),
            _ => edge.Pki.IssueOperational(Samples.Serial, other),
        });

        foreach (var call in new[] { "cacerts", "csrattrs" })
        {
            using var response = await client.GetAsync($"{Root}/{call}", Stop);
            await AssertRefusedAsync(response, HttpStatusCode.Forbidden, reason);
        }

        foreach (var call in new[] { "simpleenroll", "simplereenroll" })
        {
            using var response = await PostAsync(client, call, Convert.ToBase64String(Request));
            await AssertRefusedAsync(response, HttpStatusCode.Forbidden, reason);
        }

        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    [Fact]
    public async Task CaCerts_OfAnInstallationWithoutAFleetCa_SayThatThereIsNone()
    {
        var pki = new TestPki { HasFleet = false };
        await using var edge = await DeviceEdge.StartAsync(pki, pki.CreateVerifier());
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync($"{Root}/cacerts", Stop);

        await AssertRefusedAsync(response, HttpStatusCode.ServiceUnavailable, "FLEET_CA_MISSING");
    }

    [Theory]
    [InlineData("GET", "simpleenroll", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "cacerts", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "serverkeygen", HttpStatusCode.NotFound)]
    public async Task Call_ThatEstHereDoesNotHave_IsNotThere(string method, string path, HttpStatusCode status)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{Root}/{path}");

        using var response = await client.SendAsync(request, Stop);

        Assert.Equal(status, response.StatusCode);
    }

    private static async Task<HttpResponseMessage> PostAsync(
        HttpClient client, string path, string body, string type = "application/pkcs10")
    {
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await client.PostAsync($"{Root}/{path}", content, Stop);
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response) =>
        Convert.FromBase64String(await response.Content.ReadAsStringAsync(Stop));

    private static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string reason)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains($"\"reason\":\"{reason}\"", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    private static HttpClient CreateClient(DeviceEdge edge, X509Certificate2 certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, server, _, _) => edge.Pki.IsServer(server),
                ClientCertificates = [certificate],
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{edge.HttpsPort}") };
    }
}
