using System.Buffers.Binary;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;

namespace Muster.Cryptography.Tests.Bundles;

/// <summary>Makes bundles with Debian's <c>rauc</c> and <c>mksquashfs</c>, under a publisher of its own.</summary>
public sealed class RaucTool : IDisposable
{
    public const string Compatible = "Foo Camera";
    public const string Version = "12.11.80";

    private readonly OpenSsl _tools = new();

    public RaucTool()
    {
        Publisher = ImagePublisher.Create("Bundle root", Now);
        Signer = Issue(Now.AddDays(-1), Now.AddYears(1));
        _tools.Write("root.pem", Publisher.TrustPem);
        Plain = Make("plain", Signer);
        Verity = Make("verity", Signer);
        Crypt = Make("crypt", Signer);
        Encrypted = Encrypt();
    }

    /// <summary>Made when the class is: rauc looks at the clock where it verifies.</summary>
    public static DateTimeOffset Now { get; } = TimeProvider.System.GetUtcNow();

    /// <summary>The image in every bundle; random, for what is packed into one block has no hash tree.</summary>
    public static byte[] RootFs { get; } = RandomNumberGenerator.GetBytes(40_000);

    public byte[] Plain { get; }

    public byte[] Verity { get; }

    /// <summary>Of the format crypt, signed and not yet encrypted to recipients.</summary>
    public byte[] Crypt { get; }

    public byte[] Encrypted { get; }

    internal ImagePublisher Publisher { get; }

    internal IssuedCertificate Signer { get; }

    /// <summary>Where the signature begins.</summary>
    public static int PayloadOf(byte[] bundle) =>
        bundle.Length - 8 - (int)BinaryPrimitives.ReadInt64BigEndian(bundle.AsSpan(bundle.Length - 8));

    public static byte[] MessageOf(byte[] bundle) => bundle[PayloadOf(bundle)..^8];

    /// <summary>A bundle of parts: payload, message and the message's size.</summary>
    public static byte[] Join(byte[] payload, byte[] message)
    {
        var size = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(size, message.Length);
        return [.. payload, .. message, .. size];
    }

    /// <summary>Takes rauc's own check of purposes too, which knows no code signing unless it is told.</summary>
    internal IssuedCertificate Issue(DateTimeOffset notBefore, DateTimeOffset notAfter) => Publisher.IssueSigner(
        "Bundle publisher",
        notBefore,
        notAfter,
        new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3"), new Oid("1.3.6.1.5.5.7.3.4")], critical: false));

    internal byte[] Make(string format, IssuedCertificate signer, string options = "") => Make(format, signer, RootFs, options);

    internal byte[] Make(string format, IssuedCertificate signer, byte[] rootFs, string options = "")
    {
        var folder = Directory.CreateDirectory(_tools.PathOf("content"));
        _tools.Write("content/rootfs.img", rootFs);
        _tools.Write("content/manifest.raucm", $"[update]\ncompatible={Compatible}\nversion={Version}\n\n[bundle]\nformat={format}\n\n"
            + "[image.rootfs]\nfilename=rootfs.img\n");
        Write(signer);
        _tools.Run("rauc", $"bundle --cert=signer.pem --key=signer.key {options} content bundle.raucb");
        var bundle = _tools.Read("bundle.raucb");
        File.Delete(_tools.PathOf("bundle.raucb"));
        folder.Delete(recursive: true);
        return bundle;
    }

    /// <summary>A signer with a key of any kind, which openssl makes, under an authority (<c>middle.pem</c>) under a root.</summary>
    internal IssuedCertificate IssueWith(string key)
    {
        _tools.Write("leaf.cnf", "extendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\n");
        _tools.Write("ca.cnf", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
        _tools.Run($"req -new -newkey {key} -nodes -subj /CN=Other -keyout other.key -out other.csr");
        _tools.Run("req -new -newkey rsa:2048 -nodes -subj /CN=Middle -keyout middle.key -out middle.csr");
        _tools.Run("req -x509 -newkey rsa:2048 -nodes -subj /CN=OtherRoot -days 30 -keyout otherroot.key -out otherroot.pem");
        _tools.Run("x509 -req -in middle.csr -CA otherroot.pem -CAkey otherroot.key -CAcreateserial "
            + "-days 25 -extfile ca.cnf -out middle.pem");
        _tools.Run("x509 -req -in other.csr -CA middle.pem -CAkey middle.key -CAcreateserial -days 20 -extfile leaf.cnf -out other.pem");
        return new IssuedCertificate(_tools.ReadText("other.pem"), _tools.ReadText("other.key"));
    }

    internal string OtherRootPem => _tools.ReadText("otherroot.pem");

    /// <summary>A message of openssl; its content is in it when <paramref name="options"/> say <c>-nodetach</c>.</summary>
    internal byte[] Sign(byte[] content, IssuedCertificate signer, string options)
    {
        Write(signer);
        _tools.Write("content.bin", content);
        _tools.Run($"cms -sign -binary -nosmimecap -md sha256 -in content.bin -signer signer.pem -inkey signer.key "
            + $"{options} -outform DER -out s");
        return _tools.Read("s");
    }

    public void Dispose()
    {
        Publisher.Dispose();
        _tools.Dispose();
    }

    private void Write(IssuedCertificate signer)
    {
        _tools.Write("signer.pem", signer.CertificatePem);
        _tools.Write("signer.key", signer.KeyPem);
    }

    private byte[] Encrypt()
    {
        _tools.Run("req -x509 -newkey rsa:2048 -nodes -subj /CN=Device -days 30 -keyout device.key -out device.pem");
        _tools.Write("crypt.raucb", Crypt);
        _tools.Run("rauc", "encrypt --keyring=root.pem --to=device.pem crypt.raucb encrypted.raucb");
        return _tools.Read("encrypted.raucb");
    }
}
