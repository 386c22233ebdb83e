using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using MQTTnet;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Broker;

/// <summary>What this gateway shows the broker, and whom it takes for the broker. Read once: a changed file needs a restart.</summary>
internal sealed class BrokerTls : IDisposable
{
    private readonly X509Certificate2Collection _authorities = [];
    private readonly X509Certificate2 _certificate;

    public BrokerTls(IOptions<BrokerOptions> options)
    {
        var value = options.Value;
        try
        {
            _authorities.ImportFromPemFile(value.CaFile);
            using var pem = X509Certificate2.CreateFromPemFile(value.CertificateFile, value.KeyFile);
            _certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"The certificates of {BrokerOptions.SectionName} cannot be used: {fault.Message}", fault);
        }
    }

    public void Configure(MqttClientTlsOptionsBuilder tls) => tls
        .UseTls()
        .WithClientCertificates([_certificate])
        .WithCertificateValidationHandler(IsBroker);

    public void Dispose() => _certificate.Dispose();

    private bool IsBroker(MqttClientCertificateValidationEventArgs args)
    {
        const SslPolicyErrors NotTheName = SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable;
        if ((args.SslPolicyErrors & NotTheName) != 0 || args.Certificate is not X509Certificate2 certificate)
        {
            return false;
        }

        // The platform's own roots say nothing about this broker.
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }
}
