# What `cmake --install` puts where, besides the program (src/host/cli): public headers, documents, manual page.
install(DIRECTORY include/rs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(EXISTS ${PROJECT_SOURCE_DIR}/src/host/record/SCHEMA.md)
  install(FILES src/host/record/SCHEMA.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DATADIR}/resnet_study/experiments FILES_MATCHING PATTERN "*.yaml")

# The manual page is made of the program's own --help, so it cannot say anything else.
if(TARGET resnet_study AND EXISTS ${PROJECT_SOURCE_DIR}/scripts/man_page.sh)
  set(RS_MAN_PAGE ${PROJECT_BINARY_DIR}/resnet_study.1)
  add_custom_command(
    OUTPUT ${RS_MAN_PAGE}
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/man_page.sh $<TARGET_FILE:resnet_study> > ${RS_MAN_PAGE}
    DEPENDS resnet_study ${PROJECT_SOURCE_DIR}/scripts/man_page.sh
    COMMENT "manual page")
  add_custom_target(man_page ALL DEPENDS ${RS_MAN_PAGE})
  install(FILES ${RS_MAN_PAGE} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
