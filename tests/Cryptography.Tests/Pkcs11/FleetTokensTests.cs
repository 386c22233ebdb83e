using Muster.Cryptography.Certificates;
using Muster.Cryptography.CertificateStatus;
using Muster.Cryptography.Pkcs11;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Net.Pkcs11Interop.Common;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Pkcs11;

/// <summary>A fleet CA whose key is in a token of SoftHSM: what it signs is read by openssl, the token by OpenSC's tool.</summary>
[Collection(SoftHsm.Collection)]
public sealed class FleetTokensTests : IDisposable
{
    private const string Label = "muster-fleet-ca-1";

    private static readonly byte[] Secret = [.. Enumerable.Repeat((byte)7, FleetTokens.SerialSecretBytes)];

    private readonly SoftHsm _hsm = new();
    private readonly FleetTokens _tokens = new(isGroupReadAllowed: false, TimeProvider.System);

    [Fact]
    public void Create_MakesAKeyThatDoesNotLeaveTheToken()
    {
        var made = Create(_hsm.Uri());

        Assert.True(made.IsKeyNew);
        Assert.Equal(Label, made.Key.Label);
        var listed = _hsm.Tool("--list-objects", "--type", "privkey");
        Assert.Contains("never extractable", listed, StringComparison.Ordinal);
        Assert.Contains("always sensitive", listed, StringComparison.Ordinal);
        using var module = new TokenModule(SoftHsm.Module, isGroupReadAllowed: false, TimeProvider.System);
        Assert.True(module.Use(made.Key, (session, key) => session.GetAttributeValue(key, [CKA.CKA_VALUE])[0].CannotBeRead));
    }

    [Theory]
    [InlineData(null, "ecdsa-with-SHA256")]
    [InlineData("EC:prime256v1", "ecdsa-with-SHA256")]
    [InlineData("EC:secp384r1", "ecdsa-with-SHA384")]
    public void Sign_ByAKeyInTheToken_IsWhatOpenSslVerifies(string? existing, string algorithm)
    {
        if (existing is not null)
        {
            _hsm.Tool("--keypairgen", "--key-type", existing, "--label", "mine", "--id", "0a", "--usage-sign");
        }

        var made = Create(_hsm.Uri(existing is null ? "token=fleet" : "token=fleet;object=mine"));
        using var fleet = new FleetAuthorities([Open(made)]);
        using var openssl = new OpenSsl();
        var order = Order(fleet);
        var revoked = Order(fleet);
        openssl.Write("ca.pem", made.CertificatePem);
        WritePem(openssl, "device.pem", fleet.Of(1).Sign(order));
        WritePem(openssl, "revoked.pem", fleet.Of(1).Sign(revoked));
        var entry = new RevokedCertificate(revoked.Serial, 1, RevocationCause.Decommissioned, Now.AddMinutes(-1), revoked.NotAfter);
        openssl.Write("list.crl", [.. fleet.Of(1).SignList(StatusRules.Next(null, 1, [entry], Now))]);
        var at = Now.AddMinutes(1).ToUnixTimeSeconds();

        Assert.Equal(existing is null, made.IsKeyNew);
        openssl.Run($"verify -x509_strict -attime {at} -CAfile ca.pem ca.pem");
        openssl.Run($"verify -x509_strict -purpose sslclient -attime {at} -CAfile ca.pem device.pem");
        openssl.Run("x509 -in device.pem -noout -text -certopt no_sigdump -out text.txt");
        Assert.Contains(algorithm, openssl.ReadText("text.txt"), StringComparison.Ordinal);
        openssl.Run("crl -inform DER -in list.crl -CAfile ca.pem -out list.pem");
        openssl.Run($"verify -crl_check -attime {at} -CAfile ca.pem -CRLfile list.pem device.pem");
        Assert.Throws<InvalidOperationException>(
            () => openssl.Run($"verify -crl_check -attime {at} -CAfile ca.pem -CRLfile list.pem revoked.pem"));

        // The responder's certificate is of the CA, and its answers go on while the token is away.
        openssl.Run("ocsp -issuer ca.pem -cert device.pem -no_nonce -reqout request.der");
        Assert.Equal(OcspErrors.TryLater.Der, Answer(fleet, openssl).Der);
        fleet.WithDelegationDue(Now).Single().DelegateStatus(Now);
        _hsm.TakeAway();
        openssl.Write("answer.der", [.. Answer(fleet, openssl).Der]);
        openssl.Run(
            $"ocsp -issuer ca.pem -cert device.pem -no_nonce -respin answer.der -CAfile ca.pem -attime {at} "
            + "-validity_period 2000000000 -out said.txt");
        Assert.Contains("device.pem: good", openssl.ReadText("said.txt"), StringComparison.Ordinal);
        _hsm.BringBack();
    }

    [Fact]
    public void Repeat_WithTheKeptSignature_GivesTheSameBytesWithoutTheToken()
    {
        var made = Create(_hsm.Uri());
        using var authority = Open(made);
        var order = Order(authority);
        var first = authority.Sign(order);
        _hsm.TakeAway();

        var again = authority.Repeat(order with { Signature = first.Signature });

        Assert.Equal(first.Der, again!.Der);
        Assert.Null(authority.Repeat(order));

        // What certificates say has changed: the kept signature is of another content.
        var addresses = StatusAddresses.Parse("http://pki.example.com").Addresses;
        using var other = new FleetAuthority(
            X509Certificate2.CreateFromPem(made.CertificatePem), new FleetKeyOfNobody(), 1, addresses);
        Assert.Null(other.Repeat(order with { Signature = first.Signature }));
        _hsm.BringBack();
        Assert.NotEqual(first.Der, authority.Sign(order).Der);
    }

    [Fact]
    public void Open_WithAWrongPin_SendsItOnce()
    {
        var made = CreateAndLogOut();
        _hsm.WritePin("97531864");
        using var tokens = new FleetTokens(isGroupReadAllowed: false, TimeProvider.System);

        Assert.Contains(_hsm.PinFile, Refusal(made, tokens), StringComparison.Ordinal);

        // It would be right now, if it were sent again.
        _hsm.Tool("--change-pin", "--new-pin", "97531864");
        var refused = Refusal(made, tokens);
        Assert.DoesNotContain("97531864", refused, StringComparison.Ordinal);
        _hsm.ToolAs("97531864", "--change-pin", "--new-pin", SoftHsm.Pin);
        _hsm.WritePin(SoftHsm.Pin);
        Open(made, tokens).Dispose();
    }

    [Fact]
    public void Open_OfWhatCannotSign_SaysWhatToDo()
    {
        var made = Create(_hsm.Uri());
        _hsm.Tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "loose", "--usage-sign", "--extractable");
        _hsm.Tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "other", "--usage-sign");
        _hsm.Tool("--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--usage-sign");

        Assert.Contains("no private key 'gone'", Refusal(made, _hsm.Uri("token=fleet;object=gone")), StringComparison.Ordinal);
        Assert.Contains("can be taken out", Refusal(made, _hsm.Uri("token=fleet;object=loose")), StringComparison.Ordinal);
        Assert.Contains("does not fit", Refusal(made, _hsm.Uri("token=fleet;object=other")), StringComparison.Ordinal);
        Assert.Contains("elliptic curve", Refusal(made, _hsm.Uri("token=fleet;object=rsa")), StringComparison.Ordinal);
        Assert.Contains("no token 'attic'", Refusal(made, _hsm.Uri($"token=attic;object={Label}")), StringComparison.Ordinal);
        Assert.Contains("more than one key", Refusal(made, _hsm.Uri("token=fleet;type=private")), StringComparison.Ordinal);
        Assert.Contains("names no token", Refusal(made, _hsm.Uri($"object={Label}")), StringComparison.Ordinal);
        var elsewhere = made.Key.ReachedBy(TokenUri.Parse("pkcs11:?module-path=/nowhere/m.so").Uri!);
        Assert.Contains("'/nowhere/m.so' is not there", Refusal(made, elsewhere), StringComparison.Ordinal);
        var noLibrary = made.Key.ReachedBy(TokenUri.Parse($"pkcs11:?module-path={_hsm.PinFile}").Uri!);
        Assert.Contains("no PKCS #11 library", Refusal(made, noLibrary), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead)]
    public void Open_WithAPinThatOthersRead_IsRefused(UnixFileMode mode)
    {
        var made = CreateAndLogOut();
        _hsm.WritePin(SoftHsm.Pin, mode);
        using var tokens = new FleetTokens(isGroupReadAllowed: false, TimeProvider.System);

        Assert.Contains($"chmod 600 '{_hsm.PinFile}'", Refusal(made, tokens), StringComparison.Ordinal);
        File.Delete(_hsm.PinFile);
        Assert.Contains("write the PIN to it", Refusal(made, tokens), StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhereAKeyOfThatNameIs_AsksForItByName()
    {
        Create(_hsm.Uri());

        var refused = Assert.Throws<TokenException>(() => Create(_hsm.Uri())).Message;
        var named = Create(_hsm.Uri($"token=fleet;object={Label}"));

        Assert.Contains($"object={Label}", refused, StringComparison.Ordinal);
        Assert.False(named.IsKeyNew);
    }

    [Fact]
    public async Task Sign_ByManyThreads_IsRight()
    {
        using var authority = Open(Create(_hsm.Uri()));
        using var publicKey = X509Certificate2.CreateFromPem(authority.CertificatePem);
        var trust = new FleetTrust([publicKey]);
        var orders = Enumerable.Range(0, 200).Select(_ => Order(authority)).ToList();

        var signed = await Task.WhenAll(orders.Select(order => Task.Run(() => authority.Sign(order))));

        Assert.All(signed, one =>
        {
            using var certificate = X509CertificateLoader.LoadCertificate(one.Der.AsSpan());
            Assert.NotNull(trust.Verify(certificate, TenantId.Default, Now).Identity);
        });
    }

    [Fact]
    public async Task Sign_WhileTheTokenIsAway_FailsAndGoesOnWhenItIsBack()
    {
        using var authority = Open(Create(_hsm.Uri()));
        authority.Sign(Order(authority));
        _hsm.TakeAway();

        for (var i = 0; i < 3; i++)
        {
            Assert.Throws<TokenException>(() => authority.Sign(Order(authority)));
        }

        _hsm.BringBack();
        var signed = await InsistAsync(() => authority.Sign(Order(authority)));
        Assert.NotEmpty(signed.Der);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => authority.Sign(Order(authority)))));
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _hsm.Dispose();
    }

    /// <summary>A module that failed is not asked again within a second.</summary>
    private static async Task<T> InsistAsync<T>(Func<T> sign)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return sign();
            }
            catch (TokenException) when (tries < 50)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
            }
        }
    }

    private static OcspAnswer Answer(FleetAuthorities fleet, OpenSsl openssl) =>
        fleet.Answer(openssl.Read("request.der"), (_, _) => null, Now, Now);

    private static void WritePem(OpenSsl openssl, string name, SignedCertificate signed)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(signed.Der.AsSpan());
        openssl.Write(name, certificate.ExportCertificatePem());
    }

    private static CertificateOrder Order(FleetAuthorities fleet) => Order(fleet.Of(1));

    private static CertificateOrder Order(FleetAuthority authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = key.ExportSubjectPublicKeyInfo();
        var camera = new CertificateSubject(
            TenantId.Default, "axis", DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException());
        return new CertificateOrder(
            camera, [.. spki], Sha256Hash.Of(SHA256.HashData(spki)), authority.NewSerial(), 1, Now.AddMinutes(-5), Now.AddDays(30));
    }

    private TokenAuthority Create(TokenUri uri) =>
        _tokens.Create(uri, Label, "Muster fleet CA 1", Now.AddDays(-1), TimeSpan.FromDays(3650));

    /// <summary>A login is the process's: it ends with the module.</summary>
    private TokenAuthority CreateAndLogOut()
    {
        var made = Create(_hsm.Uri());
        _tokens.Dispose();
        return made;
    }

    private FleetAuthority Open(TokenAuthority made, FleetTokens? tokens = null, TokenUri? uri = null)
    {
        var certificate = X509Certificate2.CreateFromPem(made.CertificatePem);
        return new FleetAuthority(certificate, (tokens ?? _tokens).Open(uri ?? made.Key, certificate, Secret), 1, null);
    }

    private static string Refused(Func<FleetAuthority> open) => Assert.Throws<TokenException>(open).Message;

    private string Refusal(TokenAuthority made, FleetTokens tokens) => Refused(() => Open(made, tokens));

    private string Refusal(TokenAuthority made, TokenUri uri) => Refused(() => Open(made, uri: uri));

    /// <summary>For what needs no key.</summary>
    private sealed class FleetKeyOfNobody : FleetKey
    {
        internal override X509SignatureGenerator Signature => throw new NotSupportedException();

        internal override HashAlgorithmName Hash => HashAlgorithmName.SHA256;

        internal override bool IsDeterministic => false;

        internal override bool IsSlow => true;

        internal override SerialNumbers Serials => throw new NotSupportedException();

        protected override void Dispose(bool isDisposing)
        {
        }
    }
}
