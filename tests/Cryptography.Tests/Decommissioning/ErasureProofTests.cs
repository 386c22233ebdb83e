using System.Text;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Decommissioning;

public sealed class ErasureProofTests
{
    private static readonly ErasureProof Proof = new(
        TenantId.Default, Device("B8A44F000001"), "n-1", "boot-2", ErasureProof.FactoryDefault);

    private readonly ErasureProofVerifier _verifier = new();

    [Fact]
    public void TryEncode_GoodValues_AreSixLines()
    {
        Assert.True(Proof.TryEncode(out var bytes));

        Assert.Equal(
            "muster erasure proof 1\ntenant=default\ndevice=B8A44F000001\nnonce=n-1\nboot_id=boot-2\nmethod=factory-default\n",
            Encoding.UTF8.GetString(bytes.AsSpan()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nmethod=none")]
    [InlineData("a\u0000")]
    public void TryEncode_BootIdThatCouldPassForMore_HasNoEncoding(string bootId) =>
        Assert.False((Proof with { BootId = bootId }).TryEncode(out _));

    [Fact]
    public void TryEncode_HalfACharacter_HasNoEncoding() => Assert.False((Proof with { Nonce = "\ud800" }).TryEncode(out _));

    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("RSA")]
    public void Verify_SignedWithTheKeyOnRecord_IsAccepted(string kind)
    {
        using var identity = Identity(kind);
        var signature = ErasureProofSigner.Sign(Proof, identity);

        Assert.Null(Verify(Proof, identity, signature));
    }

    [Fact]
    public void Verify_SignedByOpenSsl_IsAccepted()
    {
        using var devices = DeviceIdentityIssuer.Create("Acme", Now);
        var issued = devices.Issue("SN-1", Now);
        using var identity = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var openssl = new OpenSsl();
        Proof.TryEncode(out var bytes);
        openssl.Write("proof.txt", [.. bytes]);
        openssl.Write("key.pem", issued.KeyPem);
        openssl.Run("dgst -sha256 -sign key.pem -out proof.sig proof.txt");

        Assert.Null(Verify(Proof, identity, openssl.Read("proof.sig")));
    }

    [Fact]
    public void Verify_AnyOtherValue_IsRefused()
    {
        using var identity = Identity("P-256");
        var signature = ErasureProofSigner.Sign(Proof, identity);
        Assert.True(TenantId.TryParse("other", out var tenant));

        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof with { Nonce = "n-2" }, identity, signature)?.Reason);
        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof with { BootId = "boot-3" }, identity, signature)?.Reason);
        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof with { Device = Device("B8A44F000002") }, identity, signature)?.Reason);
        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof with { Tenant = tenant }, identity, signature)?.Reason);
        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof with { Method = "none" }, identity, signature)?.Reason);
    }

    [Fact]
    public void Verify_SignedWithAnotherKey_IsRefused()
    {
        using var identity = Identity("P-256");
        using var other = Identity("P-256");

        Assert.Equal("ERASURE_PROOF_INVALID", Verify(Proof, identity, ErasureProofSigner.Sign(Proof, other))?.Reason);
    }

    [Fact]
    public void Verify_Garbage_IsRefusedAndNeverThrows()
    {
        using var identity = Identity("P-256");
        var key = identity.PublicKey.ExportSubjectPublicKeyInfo().ToImmutableArray();
        foreach (var length in new[] { 0, 1, 8, 70, 72, 512, 5_000 })
        {
            ImmutableArray<byte> garbage = [.. Enumerable.Repeat((byte)0x30, length)];

            Assert.Equal("ERASURE_PROOF_INVALID", _verifier.Verify(Proof, key, garbage)?.Reason);
            Assert.Equal("ERASURE_PROOF_INVALID", _verifier.Verify(Proof, garbage, key)?.Reason);
        }

        Assert.Equal("ERASURE_PROOF_INVALID", _verifier.Verify(Proof, key, default)?.Reason);
        Assert.Equal("ERASURE_PROOF_INVALID", _verifier.Verify(Proof, default, key)?.Reason);
    }

    private static DeviceId Device(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static X509Certificate2 Identity(string kind)
    {
        if (kind == "RSA")
        {
            using var rsa = RSA.Create(2048);
            return new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                .CreateSelfSigned(Now, Now.AddDays(1));
        }

        using var key = ECDsa.Create(kind == "P-256" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
        return new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now, Now.AddDays(1));
    }

    private FleetError? Verify(ErasureProof proof, X509Certificate2 identity, byte[] signature) =>
        _verifier.Verify(proof, [.. identity.PublicKey.ExportSubjectPublicKeyInfo()], [.. signature]);
}
