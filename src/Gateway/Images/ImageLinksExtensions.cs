using Microsoft.Extensions.Options;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Images;

/// <summary>Wires the links to images, which every desired document that names one carries.</summary>
internal static class ImageLinksExtensions
{
    public static IServiceCollection AddImageLinks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptionsWithValidateOnStart<DownloadOptions, DownloadOptionsValidator>()
            .Bind(configuration.GetSection(DownloadOptions.SectionName));
        services.AddSingleton<IValidateOptions<DownloadOptions>, DownloadOptionsCrossValidator>();
        services.AddSingleton<ImageLinks>();
        services.AddHostedService(provider => provider.GetRequiredService<ImageLinks>());
        services.AddSingleton<DownMessageWriter>();
        return services;
    }
}
